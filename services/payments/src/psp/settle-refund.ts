import type { Act, Queryable } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { refundPostings } from '../ledger/ledger.ts';
import { postTransaction } from '../ledger/ledger-store.ts';
import type { Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import type { ChangeFacts } from '../payment/payment-store.ts';
import type { Refund } from '../refund/refund.ts';
import { completeRefund, failRefund } from '../refund/refund-store.ts';
import type { PspOutcome } from './psp.ts';
import { deleteTask } from './psp-task-store.ts';
import type { Settlement } from './settle-charge.ts';

/** What the provider says about a refund. The payment's row must be locked, and the refund read under that lock. */
export async function settleRefund(
  tx: Queryable,
  act: Act,
  payment: Payment,
  refund: Refund,
  outcome: PspOutcome,
  facts: ChangeFacts,
): Promise<Settlement> {
  if (outcome.kind === 'unknown' || outcome.kind === 'no-effect' || outcome.kind === 'processing') return 'unchanged';
  if (refund.status === outcome.kind) return 'unchanged';
  if (refund.status !== 'processing') return 'late';
  const details = { refundId: refund.id, refundMinorUnits: String(refund.minorUnits), refundStatus: outcome.kind };
  if (outcome.kind === 'completed') {
    await completeRefund(tx, payment, refund, outcome.transactionId, facts);
    await postTransaction(tx, {
      kind: 'refund',
      paymentId: payment.id,
      refundId: refund.id,
      currencyCode: payment.currencyCode,
      postings: refundPostings(payment.recipientId, refund),
    });
    await appendEvent(tx, act, paymentEvent('PAYMENT_REFUNDED', payment, details));
  }
  if (outcome.kind === 'failed') {
    await failRefund(tx, refund, outcome.failureCode, outcome.transactionId);
    const failure = { ...details, failureCode: outcome.failureCode };
    await appendEvent(tx, act, paymentEvent('PAYMENT_UPDATED', payment, failure));
  }
  await deleteTask(tx, refund.id);
  return 'applied';
}
