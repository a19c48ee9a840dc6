import { randomBytes, randomUUID } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { connectNats, until } from '@strongroom/testkit';
import { nanos } from 'nats';
import tap from 'tap';
import { auditDurable, ingestEvents } from '../src/audit/ingest-events.ts';
import { replayParkedEvents } from '../src/audit/replay-parked-events.ts';
import { type AdminFixture, startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

/** Far less than a handler is kept waiting. */
const ackWaitMs = 500;
tap.setTimeout(120_000);

async function logged(admin: AdminFixture, ids: readonly string[]): Promise<void> {
  await until(
    async () => {
      const [row] =
        await admin.superuser`select count(*)::int as n from log_leaf where event_id = any(${[...ids]}::uuid[])`;
      return row?.['n'] === ids.length ? true : undefined;
    },
    { what: 'the events in the log', timeoutMs: 30_000 },
  );
}

tap.test('F35, fault 36: an event delivered many times, also to two consumers at once, is one record', async (t) => {
  const admin = await startAdmin(t);
  const second = ingestEvents(admin, admin.bus);
  t.teardown(() => second.stop());
  const events = Array.from({ length: 200 }, () => makeEvent());
  const nats = await connectNats(admin.nats.url);
  t.teardown(() => nats.close());
  await admin.bus.ready();
  const client = nats.jetstream();
  // Without a message id the broker dedupes nothing.
  const publish = (event: (typeof events)[number]) =>
    client.publish(`strongroom.events.payments.${event.action}`, toBinary(AuditEventSchema, event));
  await Promise.all([...events, ...events, ...events.slice(0, 50)].map(publish));
  await logged(
    admin,
    events.map(({ id }) => id),
  );
  const marker = makeEvent();
  await publish(marker);
  await logged(admin, [marker.id]);
  const [row] = await admin.superuser`
    select count(*)::int as records, count(distinct event_id)::int as ids, max(sequence)::int + 1 as size
    from audit_record where source = 'payments'`;
  t.match({ ...row }, { records: 201, ids: 201 });
  const [gaps] = await admin.superuser`select max(sequence) + 1 - count(*) as gaps from audit_record`;
  t.equal(Number(gaps?.['gaps']), 0, 'no position is empty');
});

tap.test('F35: an event that comes again while its handler still runs is one record', async (t) => {
  const admin = await startAdmin(t);
  await admin.bus.ready();
  const { consumers } = admin.bus.connection().manager;
  const second = ingestEvents(admin, admin.bus);
  t.teardown(() => second.stop());
  const { config } = await until(
    async () => {
      const info = await consumers.info('EVENTS', auditDurable).catch(() => undefined);
      return info?.num_waiting === 2 ? info : undefined;
    },
    { what: 'two consumers that wait for messages' },
  );
  await consumers.update('EVENTS', auditDurable, { ...config, ack_wait: nanos(ackWaitMs) });
  const events = Array.from({ length: 20 }, () => makeEvent());
  await admin.superuser.begin(async (sql) => {
    // Whoever holds the only row of log_state keeps every handler in the middle of its work.
    await sql`select from log_state for update`;
    for (const event of events) await admin.publish(event);
    await until(async () => (await consumers.info('EVENTS', auditDurable)).num_redelivered >= events.length, {
      what: 'the second delivery of all',
    });
  });
  await logged(
    admin,
    events.map(({ id }) => id),
  );
  await until(async () => (await consumers.info('EVENTS', auditDurable)).num_ack_pending === 0, {
    what: 'the end of the last delivery',
  });
  const [row] = await admin.superuser`
    select count(*)::int as records, count(distinct event_id)::int as ids from audit_record where source = 'payments'`;
  t.match({ ...row }, { records: events.length, ids: events.length });
});

tap.test('F29: what is no event is parked, sealed, and holds nobody up; a replay takes it in once', async (t) => {
  const admin = await startAdmin(t);
  const nats = await connectNats(admin.nats.url);
  t.teardown(() => nats.close());
  await admin.bus.ready();
  const client = nats.jetstream();
  const event = (given: object = {}) => toBinary(AuditEventSchema, makeEvent(given));
  const later = makeEvent({ ipAddress: '198.51.100.77' });
  const poison: [string, string, Uint8Array][] = [
    ['UNDECODABLE', 'payments.PAYMENT_CREATED', randomBytes(300)],
    ['UNDECODABLE', 'payments.PAYMENT_CREATED', Buffer.from('{"id": ')],
    ['UNKNOWN_ACTION', 'payments.PAYMENT_TELEPORTED', event({ action: 'PAYMENT_TELEPORTED' })],
    ['TOO_BIG', 'payments.PAYMENT_CREATED', event({ details: { text: 'x'.repeat(70_000) } })],
    [
      'UNKNOWN_VERSION',
      'payments.PAYMENT_CREATED',
      Buffer.concat([toBinary(AuditEventSchema, later), Buffer.from([0xc2, 0x3e, 1, 0x61])]),
    ],
    ['INVALID', 'payments.PAYMENT_CREATED', event({ id: 'not-a-uuid' })],
    ['INVALID', 'payments.PAYMENT_CREATED', event({ details: { nul: 'a\u0000b' } })],
    ['WRONG_SUBJECT', 'auth.PAYMENT_CREATED', event()],
    ['WRONG_SUBJECT', 'payments.PAYMENT_FAILED', event()],
  ];
  for (const [, subject, bytes] of poison) {
    await client.publish(`strongroom.events.${subject}`, bytes);
    await client.publish(`strongroom.events.${subject}`, bytes);
  }
  const sound = makeEvent();
  await admin.publish(sound);
  await logged(admin, [sound.id]);
  const rows = await until(
    async () => {
      const found = await admin.superuser`select reason, sealed_payload from parked_event order by reason`;
      return found.length === poison.length ? found : undefined;
    },
    { what: 'all poison parked, each once' },
  );
  t.strictSame(
    rows.map((row) => row['reason']),
    poison.map(([reason]) => reason).sort(),
  );
  t.notOk(
    rows.some((row) => (row['sealed_payload'] as Buffer).includes('198.51.100.77')),
    'nothing personal in clear',
  );
  t.notOk(
    (await admin.superuser`select 1 from log_leaf where event_id = ${later.id}::uuid`).length,
    'a parked event is not in the log',
  );
  const { storedEventIds } = await (await admin.service('payments')).confirmEvents({ eventIds: [later.id, sound.id] });
  t.strictSame(storedEventIds, [sound.id], 'an outbox must not let go of what is only parked');
  t.strictSame(await replayParkedEvents(admin), { replayed: 0, left: poison.length }, 'nothing has been put right yet');
});

tap.test(
  'F29: an event that breaks the log is tried a few times, later and later, then parked; the rest goes on',
  async (t) => {
    const admin = await startAdmin(t);
    const [breaking, sound] = [makeEvent(), makeEvent()];
    await admin.superuser.unsafe(`create function break_log() returns trigger language plpgsql as $$
      begin raise exception 'the chain would break'; end $$`);
    await admin.superuser.unsafe(`create trigger break_log before insert on log_leaf
      for each row when (new.event_id = '${breaking.id}') execute function break_log()`);
    await admin.publish(breaking);
    await admin.publish(sound);
    await logged(admin, [sound.id]);
    const parked = await until(
      async () => (await admin.superuser`select reason from parked_event where message_id = ${breaking.id}`)[0],
      { what: 'the event parked', timeoutMs: 30_000 },
    );
    t.equal(parked['reason'], 'failed 5 times');
    t.equal(
      await admin.metrics.value('audit_events_parked_total', { reason: 'REFUSED' }),
      1,
      'which an alert waits for',
    );
    await admin.superuser`drop trigger break_log on log_leaf`;
    t.strictSame(await replayParkedEvents(admin), { replayed: 1, left: 0 });
    t.strictSame(await replayParkedEvents(admin), { replayed: 0, left: 0 });
    t.equal((await admin.superuser`select 1 from audit_record where event_id = ${breaking.id}::uuid`).length, 1);
  },
);

tap.test('F29: a parked event that is understood by now is taken in exactly once', async (t) => {
  const admin = await startAdmin(t);
  const event = makeEvent();
  const { insertParkedEvent } = await import('../src/audit/parked-event-store.ts');
  const id = randomUUID();
  await insertParkedEvent(admin.auditDatabase, {
    id,
    digest: randomBytes(32),
    messageId: event.id,
    subject: `strongroom.events.payments.${event.action}`,
    sealedPayload: admin.keyring.seal('audit-parked', toBinary(AuditEventSchema, event), id),
    reason: 'UNKNOWN_ACTION',
  });
  t.strictSame(await replayParkedEvents(admin), { replayed: 1, left: 0 });
  t.strictSame(await replayParkedEvents(admin), { replayed: 0, left: 0 });
  t.equal((await admin.superuser`select 1 from audit_record where event_id = ${event.id}::uuid`).length, 1);
});

tap.test(
  'S4.4: mass writes and writes past the services are counted where alerts see them, from zero on',
  async (t) => {
    const admin = await startAdmin(t);
    const counted = (name: 'audit_bulk_writes_total' | 'audit_actorless_writes_total', operation: string) =>
      admin.metrics.value(name, { operation });
    t.match(
      await admin.metrics.registry.metrics(),
      /^audit_bulk_writes_total\{operation="TRUNCATE",process="\w+"\} 0$/m,
    );
    const write = (actorKind: string, operation: string, rows: number) =>
      makeEvent({
        action: 'DB_WRITE',
        actorKind,
        details: { table: 'users', operation, rows: String(rows), databaseRole: 'auth_app' },
      });
    const [bulkBefore, actorlessBefore] = [
      await counted('audit_bulk_writes_total', 'DELETE'),
      await counted('audit_actorless_writes_total', 'UPDATE'),
    ];
    const events = [write('user', 'DELETE', 100), write('user', 'DELETE', 99), write('database', 'UPDATE', 1)];
    for (const event of events) await admin.publish(event);
    await logged(
      admin,
      events.map(({ id }) => id),
    );
    await until(async () => (await counted('audit_actorless_writes_total', 'UPDATE')) === actorlessBefore + 1);
    t.equal(await counted('audit_bulk_writes_total', 'DELETE'), bulkBefore + 1);
  },
);

tap.test(
  'F5, fault 36: the JetStream store is wiped with events unconsumed: all reach the log, each once',
  async (t) => {
    const admin = await startAdmin(t);
    await admin.bus.ready();
    const act = serviceAct('admin', { requestId: randomUUID() });
    const write = () =>
      admin.database.transaction(act, (tx) =>
        appendEvent(tx, act, { action: 'SYSTEM_CONFIG_CHANGED', resourceType: 'system_config', resourceId: 'x' }),
      );
    const before = await Promise.all(Array.from({ length: 20 }, write));
    await admin.nats.wipe();
    const after = await Promise.all(Array.from({ length: 20 }, write));
    await logged(admin, [...before, ...after]);
    const [row] = await admin.superuser`
    select count(*)::int as n from audit_record where action = 'SYSTEM_CONFIG_CHANGED'`;
    t.equal(row?.['n'], 40);
    await until(
      async () => {
        const [left] = await admin.adminSuperuser`
        select count(*)::int as n from strongroom.outbox where event_id = any(${[...before, ...after]}::uuid[])`;
        return left?.['n'] === 0 ? true : undefined;
      },
      { what: 'the outbox lets go of what the log holds', timeoutMs: 30_000 },
    );
  },
);

tap.test('F31: a sealed part moved to another record does not open', async (t) => {
  const admin = await startAdmin(t);
  const actorId = randomUUID();
  const [first, second] = [makeEvent({ actorId }), makeEvent({ actorId, ipAddress: '192.0.2.1' })];
  await admin.publish(first);
  await admin.publish(second);
  await logged(admin, [first.id, second.id]);
  await admin.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update audit_record set actor_sealed = (select actor_sealed from audit_record where event_id = ${first.id}::uuid)
      where event_id = ${second.id}::uuid`;
  });
  const listed = await admin.client.listAuditEvents({ actorId }, admin.as());
  const byId = new Map(listed.events.map((event) => [event.id, event]));
  t.equal(byId.get(first.id)?.ipAddress, '203.0.113.7', 'the others are read as before');
  t.match(byId.get(second.id), { ipAddress: '', damaged: true }, 'nothing of the wrong record is shown');
  t.equal((await admin.metrics.value('audit_verification_failures_total')) > 0, true, 'and somebody is told');
});
