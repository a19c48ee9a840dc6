import type { Act, Queryable } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Payment } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import { type ChangeFacts, lockPayment } from '../payment/payment-store.ts';
import type { PspNotification } from '../psp/psp.ts';
import { type Settlement, settleCharge } from '../psp/settle-charge.ts';
import { settleRefund } from '../psp/settle-refund.ts';
import type { Refund } from '../refund/refund.ts';
import { findRefund } from '../refund/refund-store.ts';
import { noteEvent } from './psp-webhook-store.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const facts: ChangeFacts = { actorId: null, actorKind: 'psp', reason: 'Told by the provider.' };

/** One message, taken for the first time, in the transaction that took it. Whether it changed anything. */
export async function applyNotification(tx: Queryable, act: Act, notification: PspNotification): Promise<boolean> {
  const { eventId, subject, reference, outcome } = notification;
  const ignore = async (note: string) => {
    await noteEvent(tx, eventId, false, note);
    return false;
  };
  if (outcome === undefined || subject === 'other') return ignore('no message about a charge or refund');
  if (!uuidPattern.test(reference)) return ignore('no reference of ours');
  const target = subject === 'charge' ? await findCharge(tx, reference) : await findRefundAndPayment(tx, reference);
  if (target === undefined) return ignore('no such payment or refund');
  const { payment, refund } = target;
  const expected = refund ?? payment;
  if (notification.currencyCode !== payment.currencyCode || notification.minorUnits !== expected.minorUnits) {
    await noteIgnored(tx, act, payment, notification, 'amount differs');
    return ignore('amount differs');
  }
  const settlement: Settlement =
    refund === undefined
      ? await settleCharge(tx, act, payment, outcome, facts)
      : await settleRefund(tx, act, payment, refund, outcome, facts);
  // A message that says what is known already is no news; one that contradicts is.
  if (settlement === 'late') await noteIgnored(tx, act, payment, notification, 'late');
  if (settlement !== 'applied') return ignore(settlement);
  await noteEvent(tx, eventId, true, 'applied');
  return true;
}

interface Target {
  readonly payment: Payment;
  readonly refund: Refund | undefined;
}

async function findCharge(tx: Queryable, reference: string): Promise<Target | undefined> {
  const payment = await lockPayment(tx, reference);
  return payment === undefined ? undefined : { payment, refund: undefined };
}

async function findRefundAndPayment(tx: Queryable, reference: string): Promise<Target | undefined> {
  const seen = await findRefund(tx, reference);
  const payment = seen === undefined ? undefined : await lockPayment(tx, seen.paymentId);
  // Read again under the lock: the worker may have settled it in between.
  const refund = payment === undefined ? undefined : await findRefund(tx, reference);
  return payment === undefined || refund === undefined ? undefined : { payment, refund };
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
