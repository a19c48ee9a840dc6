import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { useMutation } from '@connectrpc/connect-query';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { AmountField } from '../money/amount-fields.tsx';
import { amountText, parseMoney } from '../money/money.ts';
import { useTimeZone } from '../time/time-zone.tsx';
import { instantOf, minuteOf } from '../time/zone.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Field } from '../ui/field.tsx';
import { rememberAct } from './own-acts.ts';
import { useAttemptKey } from './use-attempt-key.ts';

const { getPayment, listPayments, updatePayment } = PaymentsService.method;

/** While a payment waits, its sender may still change amount, words and date. */
export function EditButton({ payment: { id, etag, amount, description, scheduledAt } }: { payment: Payment }) {
  const update = useMutation(updatePayment);
  const keyOf = useAttemptKey();
  const zone = useTimeZone();
  if (amount === undefined) return null;
  const { currencyCode } = amount;
  const due = scheduledAt && minuteOf(timestampDate(scheduledAt), zone);
  return (
    <ConfirmButton
      label="Edit"
      title="Edit this payment"
      confirmLabel="Save"
      isDangerous={false}
      act={async (values) => {
        const minorUnits = parseMoney(values.text('amount.minor_units'), currencyCode) ?? 0n;
        const words = values.text('description');
        const newDue = values.optional('scheduled_at');
        const { auditEventId } = await update.mutateAsync({
          id,
          etag,
          amount: { currencyCode, minorUnits },
          description: words,
          // The field knows no seconds: what was left as it is keeps them.
          scheduledAt:
            newDue === undefined || newDue === due ? scheduledAt : timestampFromDate(instantOf(newDue, zone)),
          requestId: keyOf(`${etag} ${minorUnits} ${newDue} ${words}`),
        });
        rememberAct(id, { what: 'Edited', eventId: auditEventId });
        await invalidate(getPayment, listPayments);
      }}
    >
      <AmountField defaultValue={amountText(amount.minorUnits, currencyCode)} hint={`In ${currencyCode}.`} />
      <Field
        name="description"
        label="Description"
        autoComplete="off"
        defaultValue={description}
        required
        maxLength={500}
      />
      {due !== undefined && (
        <Field
          name="scheduled_at"
          label="Due"
          type="datetime-local"
          defaultValue={due}
          hint={`By the clocks of ${zone}.`}
          required
        />
      )}
    </ConfirmButton>
  );
}
