import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { invalid, PspFailure } from './failures.ts';
import type { Charge, EventType, PaymentMethod, Refund, WebhookEvent } from './model.ts';
import { decideOutcome, type Outcome } from './outcomes.ts';
import type { Card, ChargeRequest, ControlRequest, RefundRequest } from './requests.ts';
import type { Store } from './store.ts';
import type { WebhookSender } from './webhooks.ts';

const swallowedMax = 10_000;

export interface Control {
  mode: Outcome;
  delayMs: number;
  /** POSTs for which the mode still holds; undefined until it is changed. */
  count?: number;
}

export interface ProviderOptions {
  store: Store;
  sender: WebhookSender;
  logger: Logger;
  webhookDelayMs: number;
  slowMs: number;
}

/** How a POST is to be answered. */
export type Answer<T> =
  | { readonly kind: 'made' | 'replayed'; readonly what: T; readonly delayMs?: number }
  | { readonly kind: 'silence' };

export interface Provider {
  readonly control: Control;
  setControl(request: ControlRequest): void;
  addPaymentMethod(card: Card): Promise<PaymentMethod>;
  charge(request: ChargeRequest, idempotencyKey: string): Promise<Answer<Charge>>;
  refund(chargeId: string, request: RefundRequest, idempotencyKey: string): Promise<Answer<Refund>>;
  /** Takes up what a killed process left: unsettled charges and refunds, undelivered webhooks. */
  resume(): void;
  close(): void;
}

/** The provider's behaviour: what takes effect, what is answered, and what is reported when. */
export function createProvider(options: ProviderOptions): Provider {
  const { store, sender, logger } = options;
  const control: Control = { mode: 'ok', delayMs: options.slowMs };
  const timers = new Set<NodeJS.Timeout>();
  /** References whose first request was swallowed without effect. */
  const swallowed = new Set<string>();

  function later(delayMs: number, act: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act().catch((error: Error) => logger.error({ err: error }, 'settling broke'));
    }, delayMs);
    timers.add(timer);
  }

  function currentMode(): Outcome {
    const { mode } = control;
    if (control.count !== undefined) {
      control.count -= 1;
      if (control.count <= 0) {
        control.mode = 'ok';
        delete control.count;
      }
    }
    return mode;
  }

  /** Outcomes that happen before anything takes effect. */
  function fallBefore(outcome: Outcome, key: string): 'silence' | undefined {
    if (outcome === 'fail') throw new PspFailure(503, 'unavailable', 'The provider is not available.');
    if (outcome !== 'error-before-effect' && outcome !== 'timeout-before-effect') return undefined;
    if (swallowed.has(key)) return undefined;
    if (swallowed.size >= swallowedMax) swallowed.clear();
    swallowed.add(key);
    if (outcome === 'timeout-before-effect') return 'silence';
    throw new PspFailure(500, 'internal_error', 'Something broke; nobody can say whether the request took effect.');
  }

  async function settle(what: Charge | Refund): Promise<void> {
    const { outcome } = what;
    const fails = outcome === 'decline' || outcome === 'decline-now';
    await store.settle(what, fails ? 'failed' : 'completed', fails ? 'card_declined' : undefined);
    await report(what);
  }

  async function report(what: Charge | Refund): Promise<void> {
    const { outcome, status } = what;
    if (outcome === 'timeout' || outcome === 'lost-webhook' || outcome === 'decline-now') return;
    await emit(what, status === 'completed' ? 'completed' : 'failed', outcome === 'double-webhook' ? 2 : 1);
    if (outcome === 'out-of-order') await emit(what, 'processing', 1, what.createTime);
    if (outcome === 'contradict') await emit(what, 'failed', 1);
  }

  async function emit(
    what: Charge | Refund,
    status: 'processing' | 'completed' | 'failed',
    copies: number,
    time = new Date().toISOString(),
  ): Promise<void> {
    const event = eventOf(what, status, time);
    await store.addEvent(event);
    await sender.send(event, copies);
  }

  /** The moment after which the provider has decided, as seen from outside. */
  async function takeEffect<T extends Charge | Refund>(what: T): Promise<Answer<T>> {
    const { outcome } = what;
    if (outcome === 'decline-now' || outcome === 'complete-now') {
      const fails = outcome === 'decline-now';
      await store.settle(what, fails ? 'failed' : 'completed', fails ? 'card_declined' : undefined);
      if (fails) throw declined();
      later(options.webhookDelayMs, () => report(what));
      return { kind: 'made', what };
    }
    const delayMs = outcome === 'slow' ? control.delayMs : 0;
    later(delayMs + options.webhookDelayMs, () => settle(what));
    if (outcome === 'timeout') return { kind: 'silence' };
    if (outcome === 'error-after-effect') {
      throw new PspFailure(500, 'internal_error', 'Something broke; nobody can say whether the request took effect.');
    }
    return { kind: 'made', what, delayMs };
  }

  return {
    control,
    setControl(request) {
      control.mode = request.mode;
      control.delayMs = request.delayMs ?? options.slowMs;
      if (request.count === undefined) delete control.count;
      else control.count = request.count;
    },
    async addPaymentMethod(card) {
      const method: PaymentMethod = { token: identifier('pm'), ...card };
      await store.addMethod(method);
      return method;
    },
    async charge(request, idempotencyKey) {
      const known = store.charge(request.reference) ?? store.chargeByKey(idempotencyKey);
      const fingerprint = chargeFingerprint(request);
      if (known) return replay(known, request.reference, fingerprint);
      const method = methodOf(store, request);
      const outcome = decideOutcome(currentMode(), method?.outcome, request.amount);
      if (fallBefore(outcome, `charge:${request.reference}`)) return { kind: 'silence' };
      const time = new Date().toISOString();
      const { reference, amount, currency } = request;
      const charge: Charge = {
        id: identifier('ch'),
        ...{ reference, amount, currency, idempotencyKey, fingerprint, outcome },
        amountRefunded: 0,
        status: 'processing',
        createTime: time,
        updateTime: time,
      };
      await store.addCharge(charge);
      return takeEffect(charge);
    },
    async refund(chargeId, request, idempotencyKey) {
      const charge = store.charge(chargeId);
      if (!charge) throw new PspFailure(404, 'not_found', 'There is no such charge.');
      const { reference, amount } = request;
      const fingerprint = `${charge.id}:${amount}`;
      const known = store.refund(reference) ?? store.refundByKey(idempotencyKey);
      if (known) return replay(known, reference, fingerprint);
      if (charge.status !== 'completed') {
        throw new PspFailure(409, 'charge_not_completed', 'Only a completed charge can be refunded.');
      }
      if (charge.amountRefunded + amount > charge.amount) {
        throw new PspFailure(422, 'amount_exceeds_charge', 'The refund is more than what is left of the charge.');
      }
      const outcome = decideOutcome(currentMode(), undefined, amount);
      if (fallBefore(outcome, `refund:${reference}`)) return { kind: 'silence' };
      const time = new Date().toISOString();
      const refund: Refund = {
        id: identifier('re'),
        chargeId: charge.id,
        chargeReference: charge.reference,
        ...{ reference, amount, currency: charge.currency, idempotencyKey, fingerprint, outcome },
        status: 'processing',
        createTime: time,
        updateTime: time,
      };
      await store.addRefund(refund);
      return takeEffect(refund);
    },
    resume() {
      const unsettled = [...store.charges(), ...store.refunds()].filter(({ status }) => status === 'processing');
      for (const what of unsettled) later(options.webhookDelayMs, () => settle(what));
      const undelivered = store.events().filter(({ delivered, givenUp }) => !delivered && !givenUp);
      for (const event of undelivered) later(options.webhookDelayMs, () => sender.send(event));
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

function replay<T extends Charge | Refund>(known: T, reference: string, fingerprint: string): Answer<T> {
  if (known.reference !== reference || known.fingerprint !== fingerprint) {
    throw new PspFailure(409, 'idempotency_mismatch', 'This key or reference was used for something else.');
  }
  if (known.outcome === 'decline-now') throw declined();
  return { kind: 'replayed', what: known };
}

function declined(): PspFailure {
  return new PspFailure(402, 'card_declined', 'The card was declined.');
}

function methodOf(store: Store, request: ChargeRequest): { outcome: Outcome } | undefined {
  if (request.card !== undefined) return request.card;
  if (request.paymentMethodToken === undefined) return undefined;
  const method = store.method(request.paymentMethodToken);
  if (!method) throw invalid('There is no such paymentMethodToken.');
  return method;
}

function chargeFingerprint(request: ChargeRequest): string {
  const { amount, currency, paymentMethodToken, card } = request;
  const source =
    card === undefined ? (paymentMethodToken ?? '') : `${card.brand}:${card.last4}:${card.expMonth}/${card.expYear}`;
  return `${amount}:${currency}:${source}`;
}

function eventOf(
  what: Charge | Refund,
  status: 'processing' | 'completed' | 'failed',
  timestamp: string,
): WebhookEvent {
  const eventId = identifier('evt');
  const isRefund = 'chargeId' in what;
  const type: EventType = isRefund ? `refund.${status}` : `charge.${status}`;
  const data = {
    eventId,
    reference: what.reference,
    chargeId: isRefund ? what.chargeId : what.id,
    ...(isRefund ? { refundId: what.id, chargeReference: what.chargeReference } : {}),
    status,
    amount: what.amount,
    currency: what.currency,
    ...(status === 'failed' ? { failureReason: what.failureReason ?? 'card_declined' } : {}),
  };
  const body = JSON.stringify({ type, timestamp, data });
  return { eventId, type, reference: what.reference, body, attempts: 0, delivered: false, givenUp: false };
}

function identifier(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}
