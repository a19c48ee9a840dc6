import type { Act, Queryable } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import type { ChangeFacts, findPayment } from '../payment/payment-store.ts';
import type { PspNotification } from '../psp/psp.ts';
import { settleCharge } from '../psp/settle-charge.ts';
import { settleRefund } from '../psp/settle-refund.ts';
import { chargeSettlement, refundSettlement, type Settlement } from '../psp/settlement.ts';
import type { Refund } from '../refund/refund.ts';
import { findRefund } from '../refund/refund-store.ts';
import { noteEvent } from './psp-webhook-store.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const facts: ChangeFacts = { actorId: null, actorKind: 'psp', reason: 'Told by the provider.' };

/** What a message is about: a payment, or a refund of it. */
export interface Target {
  readonly payment: Payment;
  readonly refund: Refund | undefined;
}

/** Undefined where there is nothing of ours. `readPayment` takes the payment's lock, or doesn't. */
export async function findTarget(
  source: Queryable,
  { subject, reference }: PspNotification,
  readPayment: typeof findPayment,
): Promise<Target | undefined> {
  if (subject === 'other' || !uuidPattern.test(reference)) return undefined;
  if (subject === 'charge') {
    const payment = await readPayment(source, reference);
    return payment === undefined ? undefined : { payment, refund: undefined };
  }
  const seen = await findRefund(source, reference);
  const payment = seen === undefined ? undefined : await readPayment(source, seen.paymentId);
  // Read again under the lock: the worker may have settled it in between.
  const refund = payment === undefined ? undefined : await findRefund(source, reference);
  return payment === undefined || refund === undefined ? undefined : { payment, refund };
}

/** What most messages are: the end of a charge or refund that is with the provider. Undefined for all others. */
export function notificationSettlement(
  act: Act,
  notification: PspNotification,
  target: Target | undefined,
): Settlement | undefined {
  const { outcome } = notification;
  if (outcome === undefined || target === undefined || !isAmountRight(notification, target)) return undefined;
  const { payment, refund } = target;
  const teller = { act, facts };
  const settlement =
    refund === undefined
      ? chargeSettlement(payment, outcome, teller)
      : refundSettlement(payment, refund, outcome, teller);
  return settlement && { ...settlement, message: notification };
}

/** One message, taken for the first time, in the transaction that took it under its payment's lock. Whether it changed anything. */
export async function applyNotification(
  tx: Queryable,
  act: Act,
  notification: PspNotification,
  target: Target | undefined,
): Promise<boolean> {
  const { eventId, outcome } = notification;
  const ignore = async (note: string) => {
    await noteEvent(tx, eventId, false, note);
    return false;
  };
  if (outcome === undefined) return ignore('no message about a charge or refund');
  if (target === undefined) return ignore('no such payment or refund');
  const { payment, refund } = target;
  if (!isAmountRight(notification, target)) {
    await noteIgnored(tx, act, payment, notification, 'amount differs');
    return ignore('amount differs');
  }
  const result =
    refund === undefined
      ? await settleCharge(tx, act, payment, outcome, facts)
      : await settleRefund(tx, act, payment, refund, outcome, facts);
  // A message that says what is known already is no news; one that contradicts is.
  if (result === 'late') await noteIgnored(tx, act, payment, notification, 'late');
  if (result !== 'applied') return ignore(result);
  await noteEvent(tx, eventId, true, 'applied');
  return true;
}

function isAmountRight({ currencyCode, minorUnits }: PspNotification, { payment, refund }: Target): boolean {
  return currencyCode === payment.currencyCode && minorUnits === (refund ?? payment).minorUnits;
}

/** The payment stays as it is, and the audit log says that somebody claimed otherwise (F17). */
async function noteIgnored(
  tx: Queryable,
  act: Act,
  payment: Payment,
  { eventId, type }: PspNotification,
  reason: string,
): Promise<void> {
  const details = { ignoredWebhook: type, webhookId: eventId, reason };
  await appendEvent(tx, act, paymentEvent('PAYMENT_UPDATED', payment, details));
}
