import { PspFailure } from './failures.ts';
import { openJournalFile } from './journal-file.ts';
import type { Charge, JournalEntry, JournalKind, PaymentMethod, Refund, WebhookEvent } from './model.ts';

/** A pretend provider in memory: far more than any test or demonstration makes. */
const recordsMax = 1_000_000;

type StoredRecord =
  | { record: 'method'; method: PaymentMethod }
  | { record: 'charge'; charge: Charge; entry: JournalEntry }
  | { record: 'refund'; refund: Refund; entry: JournalEntry }
  | { record: 'settled'; entry: JournalEntry; failureReason?: string }
  | { record: 'event'; event: WebhookEvent }
  | { record: 'delivery'; eventId: string; delivered: boolean; attempts: number; lastStatus?: number };

/** Everything the provider knows. What a method returns is on the disk, where there is one. */
export interface Store {
  method(token: string): PaymentMethod | undefined;
  addMethod(method: PaymentMethod): Promise<void>;
  charge(idOrReference: string): Charge | undefined;
  chargeByKey(idempotencyKey: string): Charge | undefined;
  charges(): Charge[];
  addCharge(charge: Charge): Promise<void>;
  refund(idOrReference: string): Refund | undefined;
  refundByKey(idempotencyKey: string): Refund | undefined;
  refunds(): Refund[];
  addRefund(refund: Refund): Promise<void>;
  /** Ends a charge or refund, once. */
  settle(what: Charge | Refund, status: 'completed' | 'failed', failureReason?: string): Promise<void>;
  addEvent(event: WebhookEvent): Promise<void>;
  noteDelivery(event: WebhookEvent): Promise<void>;
  events(): WebhookEvent[];
  journal(): readonly JournalEntry[];
  close(): Promise<void>;
}

interface Tables {
  methods: Map<string, PaymentMethod>;
  charges: Map<string, Charge>;
  chargesByReference: Map<string, Charge>;
  chargesByKey: Map<string, Charge>;
  refunds: Map<string, Refund>;
  refundsByReference: Map<string, Refund>;
  refundsByKey: Map<string, Refund>;
  events: Map<string, WebhookEvent>;
  journal: JournalEntry[];
}

export function openStore(path: string | undefined): Store {
  const file = openJournalFile(path);
  const tables: Tables = {
    methods: new Map(),
    charges: new Map(),
    chargesByReference: new Map(),
    chargesByKey: new Map(),
    refunds: new Map(),
    refundsByReference: new Map(),
    refundsByKey: new Map(),
    events: new Map(),
    journal: [],
  };
  for (const record of file.records) apply(tables, record as StoredRecord);

  // Applied at once, so that a parallel request with the same reference already sees it, and then awaited.
  function keep(record: StoredRecord): Promise<void> {
    if (tables.journal.length + tables.methods.size + tables.events.size >= recordsMax) {
      throw new PspFailure(
        503,
        'unavailable',
        `The sandbox holds ${recordsMax} records: remove its data and restart it.`,
      );
    }
    const written = structuredClone(record);
    apply(tables, record);
    return file.append(written);
  }

  function entryOf(kind: JournalKind, what: Charge | Refund): JournalEntry {
    return {
      sequence: tables.journal.length + 1,
      time: new Date().toISOString(),
      kind,
      id: what.id,
      chargeId: 'chargeId' in what ? what.chargeId : what.id,
      reference: what.reference,
      amount: what.amount,
      currency: what.currency,
      idempotencyKey: what.idempotencyKey,
    };
  }

  return {
    method: (token) => tables.methods.get(token),
    addMethod: (method) => keep({ record: 'method', method }),
    charge: (id) => tables.charges.get(id) ?? tables.chargesByReference.get(id),
    chargeByKey: (key) => tables.chargesByKey.get(key),
    charges: () => [...tables.charges.values()],
    addCharge: (charge) => keep({ record: 'charge', charge, entry: entryOf('charge', charge) }),
    refund: (id) => tables.refunds.get(id) ?? tables.refundsByReference.get(id),
    refundByKey: (key) => tables.refundsByKey.get(key),
    refunds: () => [...tables.refunds.values()],
    addRefund: (refund) => keep({ record: 'refund', refund, entry: entryOf('refund', refund) }),
    async settle(what, status, failureReason) {
      if (what.status !== 'processing') return;
      const kind: JournalKind = 'chargeId' in what ? `refund-${status}` : `charge-${status}`;
      await keep({ record: 'settled', entry: entryOf(kind, what), ...(failureReason ? { failureReason } : {}) });
    },
    addEvent: (event) => keep({ record: 'event', event }),
    noteDelivery: ({ eventId, delivered, attempts, lastStatus }) =>
      keep({ record: 'delivery', eventId, delivered, attempts, ...(lastStatus === undefined ? {} : { lastStatus }) }),
    events: () => [...tables.events.values()],
    journal: () => tables.journal,
    close: () => file.close(),
  };
}

/** The only place that changes the tables, so that a restart arrives at what was before it. */
function apply(tables: Tables, stored: StoredRecord): void {
  switch (stored.record) {
    case 'method':
      tables.methods.set(stored.method.token, stored.method);
      break;
    case 'charge':
      tables.charges.set(stored.charge.id, stored.charge);
      tables.chargesByReference.set(stored.charge.reference, stored.charge);
      tables.chargesByKey.set(stored.charge.idempotencyKey, stored.charge);
      tables.journal.push(stored.entry);
      break;
    case 'refund': {
      tables.refunds.set(stored.refund.id, stored.refund);
      tables.refundsByReference.set(stored.refund.reference, stored.refund);
      tables.refundsByKey.set(stored.refund.idempotencyKey, stored.refund);
      tables.journal.push(stored.entry);
      // Reserved when it is asked for, so that parallel refunds can't add up to more than the charge.
      const charge = tables.charges.get(stored.refund.chargeId);
      if (charge) charge.amountRefunded += stored.refund.amount;
      break;
    }
    case 'settled':
      applySettled(tables, stored.entry, stored.failureReason);
      break;
    case 'event':
      tables.events.set(stored.event.eventId, stored.event);
      break;
    case 'delivery': {
      const event = tables.events.get(stored.eventId);
      if (!event) break;
      event.attempts = stored.attempts;
      event.delivered = stored.delivered;
      event.givenUp = !stored.delivered;
      if (stored.lastStatus !== undefined) event.lastStatus = stored.lastStatus;
      break;
    }
  }
}

function applySettled(tables: Tables, entry: JournalEntry, failureReason: string | undefined): void {
  tables.journal.push(entry);
  const refund = tables.refunds.get(entry.id);
  const what = refund ?? tables.charges.get(entry.id);
  if (!what) return;
  what.status = entry.kind.endsWith('completed') ? 'completed' : 'failed';
  what.updateTime = entry.time;
  if (failureReason !== undefined) what.failureReason = failureReason;
  if (refund && refund.status === 'failed') {
    const charge = tables.charges.get(refund.chargeId);
    if (charge) charge.amountRefunded -= refund.amount;
  }
}
