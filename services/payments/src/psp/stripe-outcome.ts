import type { Stripe } from 'stripe';
import type { PspOutcome } from './psp.ts';

const codeLengthMax = 100;
const reasonLengthMax = 1_000;

/** docs.stripe.com/payments/paymentintents/lifecycle. Off session nobody is there to act, so what asks for it has failed. */
export function intentToOutcome(intent: Stripe.PaymentIntent): PspOutcome {
  const { id, status, last_payment_error: fault } = intent;
  if (status === 'succeeded') return { kind: 'completed', transactionId: id };
  if (status === 'processing' || status === 'requires_capture' || status === 'requires_confirmation') {
    return { kind: 'processing', transactionId: id };
  }
  return refused(
    id,
    fault?.decline_code ?? fault?.code ?? status,
    fault?.message ?? `The payment intent is ${status}.`,
  );
}

export function refundToOutcome({ id, status, failure_reason: reason }: Stripe.Refund): PspOutcome {
  if (status === 'succeeded') return { kind: 'completed', transactionId: id };
  if (status === 'failed' || status === 'canceled') return refused(id, reason ?? status, `The refund is ${status}.`);
  return { kind: 'processing', transactionId: id };
}

export function refused(transactionId: string | null, code: string, reason: string): PspOutcome {
  return {
    kind: 'failed',
    transactionId,
    failureCode: code.slice(0, codeLengthMax),
    failureReason: reason.slice(0, reasonLengthMax),
  };
}
