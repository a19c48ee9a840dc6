import { errors } from '../errors.ts';
import { type Money, requireCurrency } from '../money/money.ts';
import { type Payment, refundableMinorUnits } from '../payment/payment.ts';

export type RefundStatus = 'processing' | 'completed' | 'failed';

export interface Refund {
  readonly id: string;
  readonly paymentId: string;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
  readonly status: RefundStatus;
  readonly reason: string;
  readonly actorId: string;
  readonly pspTransactionId: string | null;
  readonly createTime: string;
  readonly completeTime: string | null;
}

/** How much is given back: what is asked for, or all that is left. The payment's row must be locked. */
export function decideRefund(payment: Payment, asked: Money | undefined): bigint {
  if (payment.status !== 'completed' && payment.status !== 'partially_refunded') {
    throw errors.PAYMENT_NOT_REFUNDABLE({ metadata: { paymentStatus: payment.status } });
  }
  requireCurrency(asked, payment.currencyCode);
  const left = refundableMinorUnits(payment);
  const wanted = asked?.minorUnits ?? left;
  if (wanted < 1n || wanted > left) {
    throw errors.REFUND_EXCEEDS_PAYMENT({ metadata: { refundableMinorUnits: String(left) } });
  }
  return wanted;
}
