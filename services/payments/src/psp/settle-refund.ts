import type { Act, Queryable } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import type { ChangeFacts } from '../payment/payment-store.ts';
import type { Refund } from '../refund/refund.ts';
import { failRefund } from '../refund/refund-store.ts';
import type { PspOutcome } from './psp.ts';
import { deleteTask } from './psp-task-store.ts';
import type { SettlementResult } from './settle-charge.ts';
import { completedRefund } from './settlement.ts';
import { writeLocked } from './settlement-store.ts';

/** What the provider says about a refund. The payment's row must be locked, and the refund read under that lock. */
export async function settleRefund(
  tx: Queryable,
  act: Act,
  payment: Payment,
  refund: Refund,
  outcome: PspOutcome,
  facts: ChangeFacts,
): Promise<SettlementResult> {
  if (outcome.kind === 'unknown' || outcome.kind === 'no-effect' || outcome.kind === 'processing') return 'unchanged';
  if (refund.status === outcome.kind) return 'unchanged';
  if (refund.status !== 'processing') return 'late';
  if (outcome.kind === 'completed') {
    await writeLocked(tx, completedRefund(payment, refund, outcome, { act, facts }));
    return 'applied';
  }
  await failRefund(tx, refund, outcome.failureCode, outcome.transactionId);
  const details = { refundId: refund.id, refundMinorUnits: String(refund.minorUnits), refundStatus: outcome.kind };
  const failure = { ...details, failureCode: outcome.failureCode };
  await appendEvent(tx, act, paymentEvent('PAYMENT_UPDATED', payment, failure));
  await deleteTask(tx, refund.id);
  return 'applied';
}
