import { type Act, serviceAct } from '@strongroom/platform/database';
import { failpoint } from '@strongroom/platform/process';
import type { Deps } from '../deps.ts';
import type { Payment } from '../payment/payment.ts';
import { type ChangeFacts, changeStatus, findPayment, lockPayment } from '../payment/payment-store.ts';
import { findPaymentMethodToken } from '../payment-method/payment-method-store.ts';
import type { Refund } from '../refund/refund.ts';
import { findRefund } from '../refund/refund-store.ts';
import type { ChargeProgress } from './progress-store.ts';
import type { PspOutcome } from './psp.ts';
import { deleteTask, holdTask, type PspTask, postponeTask } from './psp-task-store.ts';
import { settleCharge } from './settle-charge.ts';
import { settleRefund } from './settle-refund.ts';
import { chargeSettlement, refundSettlement, type Settlement, type Teller } from './settlement.ts';

export type TaskDeps = Pick<
  Deps,
  'config' | 'database' | 'psp' | 'logger' | 'metrics' | 'cipher' | 'signals' | 'writeProgress' | 'writeSettlement'
>;

const reconcileDelayMaxMs = 300_000;

const workerAct: Act = serviceAct('payments');

/**
 * One step of a charge or refund at the provider. The payment is marked as processing and committed before the provider
 * is asked, so no crash can leave a charge that nobody looks for; what the provider then says is written only by who
 * still holds the task (F2, F34, F36).
 */
export async function runTask(deps: TaskDeps, task: PspTask): Promise<void> {
  const startMs = performance.now();
  const work = task.kind === 'charge' ? await beginCharge(deps, task) : await beginRefund(deps, task);
  if (work === undefined) return;
  await failpoint(`payments.${task.kind}.before-psp`);
  // A process that was stopped here and let go on finds too little left of its lease, and asks for nothing (F34).
  if (performance.now() - startMs > deps.config.PSP_LEASE_MS - deps.config.PSP_TIMEOUT_MS) return;
  const outcome = await askProvider(deps, task, work);
  await failpoint(`payments.${task.kind}.after-psp`);
  await writeOutcome(deps, task, work, outcome);
  await failpoint(`payments.${task.kind}.after-result`);
}

const handedOver: ChangeFacts = { actorId: null, actorKind: 'psp', reason: 'Handed to the provider.' };

interface Work {
  /** Whether it may have been asked for before: then the question comes first, and only then the request. */
  readonly isRepeated: boolean;
  send(): Promise<PspOutcome>;
  find(): Promise<PspOutcome | undefined>;
  /** What the outcome makes of the payment as it was handed over, where that is its end. */
  settle(outcome: PspOutcome, teller: Teller): Settlement | undefined;
  /** The payment as it was handed over, where the provider only says that it has it. */
  progress(outcome: PspOutcome): Pick<ChargeProgress, 'from' | 'transactionId'> | undefined;
}

async function beginCharge(deps: TaskDeps, task: PspTask): Promise<Work | undefined> {
  const step = {
    task,
    from: { status: 'pending' },
    transactionId: null,
    facts: handedOver,
    nextDelayMs: null,
  } as const;
  const payment =
    (await deps.writeProgress(step)) ?? (await deps.database.transaction(workerAct, (tx) => markProcessing(tx, task)));
  if (payment === undefined) return undefined;
  const token = payment.paymentMethodId === null ? null : await findPaymentMethodToken(deps, payment.paymentMethodId);
  const { currencyCode, minorUnits } = payment;
  const charge = { reference: payment.id, currencyCode, minorUnits, paymentMethodToken: token };
  return {
    isRepeated: task.attemptCount > 1,
    send: () => deps.psp.charge(charge),
    find: () => deps.psp.findCharge(payment.id),
    settle: (outcome, teller) => chargeSettlement(payment, outcome, teller),
    progress: (outcome) =>
      outcome.kind === 'processing' && outcome.transactionId !== payment.pspTransactionId
        ? { from: payment, transactionId: outcome.transactionId }
        : undefined,
  };
}

/** Under the payment's lock: one that is asked for again, was withdrawn, or is in somebody's hands. */
async function markProcessing(tx: Parameters<typeof lockPayment>[0], task: PspTask): Promise<Payment | undefined> {
  const payment = await lockPayment(tx, task.paymentId);
  if (payment === undefined || !(await holdTask(tx, task))) return undefined;
  if (payment.status === 'processing') return payment;
  if (payment.status !== 'pending') {
    // Cancelled before it was sent: there is nothing to ask for.
    await deleteTask(tx, task.id);
    return undefined;
  }
  return changeStatus(tx, payment, { status: 'processing' }, handedOver);
}

async function beginRefund(deps: TaskDeps, task: PspTask): Promise<Work | undefined> {
  const refund = await findRefund(deps.database, task.id);
  const payment = refund === undefined ? undefined : await findPayment(deps.database, refund.paymentId);
  if (refund === undefined || payment === undefined || refund.status !== 'processing') {
    await deps.database.transaction(workerAct, (tx) => deleteTask(tx, task.id));
    return undefined;
  }
  const command = refundCommand(payment, refund);
  return {
    isRepeated: task.attemptCount > 1,
    send: () => deps.psp.refund(command),
    find: () => deps.psp.findRefund(command),
    settle: (outcome, teller) => refundSettlement(payment, refund, outcome, teller),
    progress: () => undefined,
  };
}

export function refundCommand(payment: Payment, refund: Refund) {
  return {
    reference: refund.id,
    chargeReference: payment.id,
    chargeTransactionId: payment.pspTransactionId,
    currencyCode: refund.currencyCode,
    minorUnits: refund.minorUnits,
  };
}

async function askProvider(deps: TaskDeps, task: PspTask, work: Work): Promise<PspOutcome> {
  try {
    const known = work.isRepeated ? await work.find() : undefined;
    // Not there, or not to be found: asking again is safe, because the reference is the idempotency key there.
    return known === undefined || known.kind === 'unknown' ? await work.send() : known;
  } catch (cause) {
    deps.logger.warn({ err: cause, taskId: task.id, kind: task.kind }, 'the provider could not be asked');
    return { kind: 'unknown', cause };
  }
}

/** What nothing stands in the way of shares a statement with others'; all else is written under the payment's lock. */
async function writeOutcome(deps: TaskDeps, task: PspTask, work: Work, outcome: PspOutcome): Promise<void> {
  const { isRepeated } = work;
  if (isRepeated) deps.metrics.increment('payments_reconciled_total', { outcome: outcome.kind });
  const facts: ChangeFacts = {
    actorId: null,
    actorKind: isRepeated ? 'reconciler' : 'psp',
    reason: isRepeated ? 'Asked of the provider.' : 'Answered by the provider.',
  };
  const isWritten = await writeTogether(deps, task, work, outcome, facts);
  if (!isWritten) await writeUnderLock(deps, task, outcome, facts);
  deps.signals.raise('payment-changed');
  deps.signals.raise('webhook-delivery');
}

async function writeTogether(
  deps: TaskDeps,
  task: PspTask,
  work: Work,
  outcome: PspOutcome,
  facts: ChangeFacts,
): Promise<boolean> {
  const settlement = work.settle(outcome, { act: workerAct, facts });
  if (settlement !== undefined) return deps.writeSettlement({ ...settlement, task });
  const progress = work.progress(outcome);
  if (progress === undefined) return false;
  const payment = await deps.writeProgress({ ...progress, task, facts, nextDelayMs: nextDelayMs(deps, task) });
  return payment !== undefined;
}

async function writeUnderLock(deps: TaskDeps, task: PspTask, outcome: PspOutcome, facts: ChangeFacts): Promise<void> {
  await deps.database.transaction(workerAct, async (tx) => {
    const payment = await lockPayment(tx, task.paymentId);
    if (payment === undefined || !(await holdTask(tx, task))) return;
    if (task.kind === 'charge') {
      await settleCharge(tx, workerAct, payment, outcome, facts);
    } else {
      const refund = await findRefund(tx, task.id);
      if (refund !== undefined) await settleRefund(tx, workerAct, payment, refund, outcome, facts);
    }
    // No row is left where it took its end.
    await postponeTask(tx, task, nextDelayMs(deps, task));
  });
}

/** The webhook is expected first; then the provider is asked, at twice the distance each time. */
function nextDelayMs({ config }: TaskDeps, { attemptCount }: PspTask): number {
  return Math.min(reconcileDelayMaxMs, config.PSP_RECONCILE_MS * 2 ** Math.min(attemptCount - 1, 20));
}
