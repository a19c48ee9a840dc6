import type { Act, Queryable } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { capturePostings } from '../ledger/ledger.ts';
import { postTransaction } from '../ledger/ledger-store.ts';
import type { Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import { type ChangeFacts, changeStatus } from '../payment/payment-store.ts';
import type { PspOutcome } from './psp.ts';
import { deleteTask } from './psp-task-store.ts';

/** 'late': the provider's word comes after the payment has taken its end; it is noted and changes nothing. */
export type Settlement = 'applied' | 'unchanged' | 'late';

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
): Promise<Settlement> {
  switch (outcome.kind) {
    case 'unknown':
    case 'no-effect':
      return 'unchanged';
    case 'processing':
      return settleProcessing(tx, payment, outcome.transactionId, facts);
    case 'completed':
      return settleCompleted(tx, act, payment, outcome.transactionId, facts);
    case 'failed':
      return settleFailed(tx, act, payment, outcome, facts);
  }
}

async function settleProcessing(
  tx: Queryable,
  payment: Payment,
  transactionId: string,
  facts: ChangeFacts,
): Promise<Settlement> {
  if (payment.status !== 'pending' && payment.status !== 'processing') return 'late';
  if (payment.status === 'processing' && payment.pspTransactionId === transactionId) return 'unchanged';
  await changeStatus(tx, payment, { status: 'processing', pspTransactionId: transactionId }, facts);
  return 'applied';
}

async function settleCompleted(
  tx: Queryable,
  act: Act,
  payment: Payment,
  transactionId: string,
  facts: ChangeFacts,
): Promise<Settlement> {
  if (payment.completeTime !== null) return 'unchanged';
  const processing = await requireProcessing(tx, payment, transactionId, facts);
  if (processing === undefined) return 'late';
  const change = { status: 'completed', pspTransactionId: transactionId, completed: true } as const;
  const completed = await changeStatus(tx, processing, change, facts);
  await postTransaction(tx, {
    kind: 'capture',
    paymentId: payment.id,
    refundId: null,
    currencyCode: payment.currencyCode,
    postings: capturePostings(payment.recipientId, payment),
  });
  await deleteTask(tx, payment.id);
  await appendEvent(tx, act, paymentEvent('PAYMENT_COMPLETED', completed, { pspTransactionId: transactionId }));
  return 'applied';
}

async function settleFailed(
  tx: Queryable,
  act: Act,
  payment: Payment,
  { transactionId, failureCode, failureReason }: Extract<PspOutcome, { kind: 'failed' }>,
  facts: ChangeFacts,
): Promise<Settlement> {
  if (payment.status === 'failed') return 'unchanged';
  if (payment.status !== 'pending' && payment.status !== 'processing') return 'late';
  const change = { status: 'failed', pspTransactionId: transactionId, failureCode, failureReason } as const;
  const failed = await changeStatus(tx, payment, change, facts);
  await deleteTask(tx, payment.id);
  await appendEvent(tx, act, paymentEvent('PAYMENT_FAILED', failed, { failureCode }));
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
