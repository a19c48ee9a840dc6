import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { useMutation } from '@connectrpc/connect-query';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { AmountField } from '../money/amount-fields.tsx';
import { amountText, parseMoney } from '../money/money.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Field } from '../ui/field.tsx';
import { rememberAct } from './own-acts.ts';
import { useAttemptKey } from './use-attempt-key.ts';

const { getPayment, listPayments, updatePayment } = PaymentsService.method;
const millisecondsPerMinute = 60_000;

/** While a payment waits, its sender may still change amount, words and date. */
export function EditButton({ payment: { id, etag, amount, description, scheduledAt } }: { payment: Payment }) {
  const update = useMutation(updatePayment);
  const keyOf = useAttemptKey();
  if (amount === undefined) return null;
  const { currencyCode } = amount;
  return (
    <ConfirmButton
      label="Edit"
      title="Edit this payment"
      confirmLabel="Save"
      isDangerous={false}
      act={async (values) => {
        const minorUnits = parseMoney(values.text('amount.minor_units'), currencyCode) ?? 0n;
        const words = values.text('description');
        const due = values.optional('scheduled_at');
        const { auditEventId } = await update.mutateAsync({
          id,
          etag,
          amount: { currencyCode, minorUnits },
          description: words,
          scheduledAt: due === undefined ? undefined : timestampFromDate(new Date(due)),
          requestId: keyOf(`${etag} ${minorUnits} ${due} ${words}`),
        });
        rememberAct(id, { what: 'Edited', eventId: auditEventId });
        await invalidate(getPayment, listPayments);
      }}
    >
      <AmountField defaultValue={amountText(amount.minorUnits, currencyCode)} hint={`In ${currencyCode}.`} />
      <Field
        name="description"
        label="What for"
        autoComplete="off"
        defaultValue={description}
        required
        maxLength={500}
      />
      {scheduledAt !== undefined && (
        <Field
          name="scheduled_at"
          label="Due"
          type="datetime-local"
          defaultValue={localTime(timestampDate(scheduledAt))}
          required
        />
      )}
    </ConfirmButton>
  );
}

/** As a datetime-local field spells it: in the browser's zone, to the minute. */
function localTime(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * millisecondsPerMinute).toISOString().slice(0, 16);
}
