import type { Act, Queryable } from '@strongroom/platform/database';
import type { Payment } from '../payment/payment.ts';
import { type ChangeFacts, changeStatus } from '../payment/payment-store.ts';
import type { PspOutcome } from './psp.ts';
import { completedCharge, failedCharge } from './settlement.ts';
import { writeLocked } from './settlement-store.ts';

/** 'late': the provider's word comes after the payment has taken its end; it is noted and changes nothing. */
export type SettlementResult = 'applied' | 'unchanged' | 'late';

/**
 * What the provider says, written to the payment, the ledger and the outbox. Everyone who hears from it comes here:
 * the worker, the reconciler, webhooks and administrators. The payment's row must be locked.
 */
export async function settleCharge(
  tx: Queryable,
  act: Act,
  payment: Payment,
  outcome: PspOutcome,
  facts: ChangeFacts,
): Promise<SettlementResult> {
  switch (outcome.kind) {
    case 'unknown':
    case 'no-effect':
      return 'unchanged';
    case 'processing':
      return settleProcessing(tx, payment, outcome.transactionId, facts);
    case 'completed':
      return settleCompleted(tx, act, payment, outcome, facts);
    case 'failed':
      return settleFailed(tx, act, payment, outcome, facts);
  }
}

async function settleProcessing(
  tx: Queryable,
  payment: Payment,
  transactionId: string,
  facts: ChangeFacts,
): Promise<SettlementResult> {
  if (payment.status !== 'pending' && payment.status !== 'processing') return 'late';
  if (payment.status === 'processing' && payment.pspTransactionId === transactionId) return 'unchanged';
  await changeStatus(tx, payment, { status: 'processing', pspTransactionId: transactionId }, facts);
  return 'applied';
}

async function settleCompleted(
  tx: Queryable,
  act: Act,
  payment: Payment,
  outcome: Extract<PspOutcome, { kind: 'completed' }>,
  facts: ChangeFacts,
): Promise<SettlementResult> {
  if (payment.completeTime !== null) return 'unchanged';
  const processing = await requireProcessing(tx, payment, outcome.transactionId, facts);
  if (processing === undefined) return 'late';
  await writeLocked(tx, completedCharge(processing, outcome, { act, facts }));
  return 'applied';
}

async function settleFailed(
  tx: Queryable,
  act: Act,
  payment: Payment,
  outcome: Extract<PspOutcome, { kind: 'failed' }>,
  facts: ChangeFacts,
): Promise<SettlementResult> {
  if (payment.status === 'failed') return 'unchanged';
  if (payment.status !== 'pending' && payment.status !== 'processing') return 'late';
  await writeLocked(tx, failedCharge(payment, outcome, { act, facts }));
  return 'applied';
}

/** The graph knows no way from pending to completed: a message that overtakes the one before it stands for both (F17). */
async function requireProcessing(
  tx: Queryable,
  payment: Payment,
  transactionId: string,
  facts: ChangeFacts,
): Promise<Payment | undefined> {
  if (payment.status === 'processing') return payment;
  if (payment.status !== 'pending') return undefined;
  return changeStatus(tx, payment, { status: 'processing', pspTransactionId: transactionId }, facts);
}
