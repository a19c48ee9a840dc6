// Payments that come at once are written together: what each one's write must not notice of the others.
import { randomUUID } from 'node:crypto';
import { sha256, uuidv7 } from '@strongroom/platform/crypto';
import { serviceAct } from '@strongroom/platform/database';
import { eventRow } from '@strongroom/platform/outbox';
import t from 'tap';
import type { NewPaymentWrite } from '../src/payment/new-payment-store.ts';
import { paymentEvent } from '../src/payment/payment-event.ts';
import { newPaymentToPayment } from '../src/payment/payment-store.ts';
import { startPayments } from './payments-fixture.ts';

const fixture = await startPayments(t, { workers: false });

function newWrite({ key = randomUUID(), paymentMethodId = null as string | null } = {}): NewPaymentWrite {
  const senderId = randomUUID();
  const act = {
    ...serviceAct('payments'),
    actorKind: 'user',
    actorName: '',
    actorId: senderId,
    requestId: key,
  } as const;
  const draft = {
    id: uuidv7(),
    type: 'instant',
    currencyCode: 'EUR',
    minorUnits: 10_000_000_00n,
    senderId,
    recipientId: randomUUID(),
    description: 'A "quoted" \\ text, ünïcode and {braces}',
    metadata: { a: '1' },
    paymentMethodId,
    scheduledTime: null,
    recurrence: null,
    timeZone: null,
    nextRunTime: null,
    parentPaymentId: null,
    occurrenceTime: null,
    createTime: new Date().toISOString(),
  } as const;
  const keyHash = sha256(key);
  return {
    act,
    draft,
    use: {
      userId: senderId,
      method: 'CreatePayment',
      keyHash,
      requestHash: sha256(draft.id),
      sealedRequestHash: sha256(draft.id),
      lock: keyHash.readBigInt64BE(0),
      lifetimeS: 172_800,
    },
    sealedResponse: Buffer.from([0, 1, 2, 255]),
    event: eventRow(act, paymentEvent('PAYMENT_CREATED', newPaymentToPayment(draft))),
  };
}

t.test(
  'S4.4: of payments written together each keeps its content, its event and the act of its own person',
  async (t) => {
    const writes = Array.from({ length: 20 }, () => newWrite());
    const outcomes = await Promise.all(writes.map((write) => fixture.deps.writeNewPayment(write)));
    t.same(new Set(outcomes), new Set(['written']));
    const statements = await fixture.superuser`
    select distinct xmin::text from payments where id = any(${writes.map(({ draft }) => draft.id)})`;
    t.equal(statements.length, 2, 'two transactions of ten');
    for (const { draft, act, use, event } of writes) {
      const [row] = await fixture.superuser`
      select p.description, p.minor_units::text as amount, p.metadata ->> 'a' as metadata,
        p.change_actor_id::text as actor, encode(k.response, 'hex') as response,
        (select count(*)::int from psp_tasks where id = p.id) as tasks,
        (select count(*)::int from payment_changes c where c.payment_id = p.id and c.actor_id = p.sender_id) as changes,
        (select count(*)::int from strongroom.outbox where event_id = ${event.eventId}) as events,
        (select jsonb_agg(record) from strongroom.outbox where record ->> 'resourceId' = p.id::text) as records
      from payments p join idempotency_keys k on k.user_id = p.sender_id and k.key_hash = ${use.keyHash}
      where p.id = ${draft.id}`;
      t.match(row, {
        description: draft.description,
        amount: '1000000000',
        metadata: '1',
        actor: draft.senderId,
        response: '000102ff',
        ...{ tasks: 1, changes: 1, events: 1 },
        records: [
          {
            action: 'DB_WRITE',
            actorId: act.actorId,
            actorKind: 'user',
            requestId: act.requestId,
            details: { table: 'payments', operation: 'INSERT' },
          },
        ],
      });
      t.equal(row?.['records'].length, 1, 'one record a row');
    }
  },
);

t.test('B-idem: in one statement, a fault, a used key and a held one are each its own', async (t) => {
  const used = newWrite();
  await fixture.deps.writeNewPayment(used);
  const held = newWrite();
  const holder = await fixture.superuser.reserve();
  await holder`select pg_advisory_lock(${String(held.use.lock)}::bigint)`;
  const again = { ...newWrite(), use: used.use, act: used.act };
  const broken = newWrite({ paymentMethodId: randomUUID() });
  const good = Array.from({ length: 10 }, () => newWrite());
  const all = [
    ...good.slice(0, 5),
    { ...again, draft: { ...again.draft, senderId: used.draft.senderId } },
    held,
    broken,
  ];
  const outcomes = await Promise.allSettled(
    [...all, ...good.slice(5)].map((write) => fixture.deps.writeNewPayment(write)),
  );
  const told = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code));
  t.same(told.slice(5, 8), ['known', 'busy', '23503']);
  t.same(new Set([...told.slice(0, 5), ...told.slice(8)]), new Set(['written']));
  await holder`select pg_advisory_unlock_all()`;
  holder.release();
  const refused = [again, held, broken].map(({ draft }) => draft.id);
  const made = await fixture.superuser`select 1 from payments where id = any(${refused})`;
  t.equal(made.length, 0, 'nothing is left of what was refused');
  t.equal(await fixture.deps.writeNewPayment(held), 'written', 'a key that was held is free again');
});
