import { useMutation } from '@connectrpc/connect-query';
import { type Payment, PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { AmountField } from '../money/amount-fields.tsx';
import { amountText, formatMoney, parseMoney } from '../money/money.ts';
import { useClaims } from '../session/session-store.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Field } from '../ui/field.tsx';
import { EditButton } from './edit-button.tsx';
import { rememberAct } from './own-acts.ts';
import { useAttemptKey } from './use-attempt-key.ts';

const { cancelPayment, refundPayment, getPayment, listPayments, listRefunds, listLedgerEntries } =
  PaymentsService.method;
const refreshed = () => invalidate(getPayment, listPayments, listRefunds, listLedgerEntries);

/** What the person may try; the server has the last word. */
export function PaymentActions({ payment }: { payment: Payment }) {
  const claims = useClaims();
  const { status } = payment;
  const isAdmin = claims?.role === 'ADMIN';
  const isSender = payment.senderId === claims?.userId;
  const isPending = status === PaymentStatus.PENDING;
  const canCancel = (isPending && isSender) || (isAdmin && (isPending || status === PaymentStatus.PROCESSING));
  const isPaid = status === PaymentStatus.COMPLETED || status === PaymentStatus.PARTIALLY_REFUNDED;
  const canRefund = isPaid && (isAdmin || payment.recipientId === claims?.userId);
  if (!canCancel && !canRefund) return null;
  return (
    <div className="actions">
      {isPending && isSender && <EditButton payment={payment} />}
      {canCancel && <CancelButton payment={payment} />}
      {canRefund && <RefundButton payment={payment} />}
    </div>
  );
}

function CancelButton({ payment: { id, etag } }: { payment: Payment }) {
  const cancel = useMutation(cancelPayment);
  const keyOf = useAttemptKey();
  return (
    <ConfirmButton
      label="Cancel"
      title="Cancel this payment"
      confirmLabel="Cancel the payment"
      act={async (values) => {
        const reason = values.text('reason');
        const { auditEventId } = await cancel.mutateAsync({ id, etag, reason, requestId: keyOf(`${etag} ${reason}`) });
        rememberAct(id, { what: 'Cancelled', eventId: auditEventId });
        await refreshed();
      }}
    >
      <p>It won’t be paid. This can’t be undone.</p>
      <Field name="reason" label="Reason" maxLength={500} autoComplete="off" />
    </ConfirmButton>
  );
}

function RefundButton({ payment: { id, amount, refundedAmount } }: { payment: Payment }) {
  const refund = useMutation(refundPayment);
  const keyOf = useAttemptKey();
  if (amount === undefined) return null;
  const { currencyCode } = amount;
  const left = amount.minorUnits - (refundedAmount?.minorUnits ?? 0n);
  return (
    <ConfirmButton
      label="Refund"
      title="Refund this payment"
      confirmLabel="Refund"
      act={async (values) => {
        const minorUnits = parseMoney(values.text('amount.minor_units'), currencyCode) ?? 0n;
        const reason = values.text('reason');
        const requestId = keyOf(`${left} ${minorUnits} ${reason}`);
        const { auditEventId } = await refund.mutateAsync({
          id,
          amount: { currencyCode, minorUnits },
          reason,
          requestId,
        });
        rememberAct(id, { what: 'Refunded', eventId: auditEventId });
        await refreshed();
      }}
    >
      <p>Up to {formatMoney(left, currencyCode)} can go back to the sender. This can’t be undone.</p>
      <AmountField defaultValue={amountText(left, currencyCode)} hint={`In ${currencyCode}.`} />
      <Field name="reason" label="Reason" maxLength={500} autoComplete="off" />
    </ConfirmButton>
  );
}
