import { uuidv7 } from '@strongroom/platform/crypto';
import { type Act, serviceAct, type Transaction, timestampToDate } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import type { Deps } from '../deps.ts';
import { isRule, type Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import {
  type ChangeFacts,
  changeStatus,
  insertOccurrence,
  type NewPayment,
  newPaymentToPayment,
} from '../payment/payment-store.ts';
import { insertTask } from '../psp/psp-task-store.ts';
import { nextOccurrence } from './recurrence.ts';
import { lockDuePayment, setNextRun } from './schedule-store.ts';

const schedulerAct: Act = serviceAct('payments');
const facts: ChangeFacts = { actorId: null, actorKind: 'scheduler', reason: 'Due.' };
const endedReason = 'Every occurrence of its rule has been made.';

/**
 * Takes the next due payment, if there is one. Its task, or the occurrence with its task, and the next time of the rule
 * are one transaction: after a crash the same is due again, and after an outage each occurrence that was missed is made,
 * once.
 */
export async function runDuePayment(deps: Pick<Deps, 'database' | 'now'>): Promise<boolean> {
  const isDone = await deps.database.transaction(schedulerAct, async (tx) => {
    const payment = await lockDuePayment(tx);
    if (payment === undefined) return false;
    if (isRule(payment)) await makeOccurrence(tx, payment, deps.now());
    else await submitScheduled(tx, payment);
    await failpoint('payments.schedule.before-commit');
    return true;
  });
  if (isDone) await failpoint('payments.schedule.after-commit');
  return isDone;
}

async function submitScheduled(tx: Transaction, payment: Payment): Promise<void> {
  await insertTask(tx, { id: payment.id, kind: 'charge', paymentId: payment.id });
  await setNextRun(tx, payment.id, null);
}

async function makeOccurrence(tx: Transaction, rule: Payment, nowMs: number): Promise<void> {
  const occurrenceTime = timestampToDate(rule.nextRunTime ?? rule.createTime).toISOString();
  const occurrence: NewPayment = {
    id: uuidv7(nowMs),
    type: 'recurring',
    currencyCode: rule.currencyCode,
    minorUnits: rule.minorUnits,
    senderId: rule.senderId,
    recipientId: rule.recipientId,
    description: rule.description,
    metadata: rule.metadata,
    paymentMethodId: rule.paymentMethodId,
    scheduledTime: occurrenceTime,
    recurrence: null,
    timeZone: rule.timeZone,
    nextRunTime: null,
    parentPaymentId: rule.id,
    occurrenceTime,
    createTime: new Date(nowMs).toISOString(),
  };
  if (await insertOccurrence(tx, occurrence, facts)) {
    await insertTask(tx, { id: occurrence.id, kind: 'charge', paymentId: occurrence.id });
    const made = newPaymentToPayment(occurrence);
    await appendEvent(tx, schedulerAct, paymentEvent('PAYMENT_CREATED', made, { parentPaymentId: rule.id }));
  }
  await moveOn(tx, rule, occurrenceTime);
}

async function moveOn(tx: Transaction, rule: Payment, occurrenceTime: string): Promise<void> {
  const startTime = timestampToDate(rule.scheduledTime ?? occurrenceTime).toISOString();
  const recurrence = { rule: rule.recurrence ?? '', timeZone: rule.timeZone ?? 'UTC', startTime };
  const next = nextOccurrence(recurrence, occurrenceTime);
  if (next !== undefined) {
    await setNextRun(tx, rule.id, next);
    return;
  }
  // The rule has moved no money itself, so it ends like one that was withdrawn; its payments stand.
  const ended = await changeStatus(tx, rule, { status: 'cancelled' }, { ...facts, reason: endedReason });
  await appendEvent(tx, schedulerAct, paymentEvent('PAYMENT_CANCELLED', ended, { reason: endedReason }));
}
