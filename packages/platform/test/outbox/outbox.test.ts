import { fromBinary } from '@bufbuild/protobuf';
import { AuditEventSchema, NoticeSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { consume } from '@strongroom/platform/bus';
import { createKeyring, uuidv7 } from '@strongroom/platform/crypto';
import { serviceAct } from '@strongroom/platform/database';
import {
  appendEvent,
  appendNotice,
  createNoticeKey,
  createOutbox,
  eventRow,
  openNotice,
  outboxInsert,
} from '@strongroom/platform/outbox';
import { createTestNats, until } from '@strongroom/testkit';
import t from 'tap';
import { act } from '../database/fixture.ts';
import { openOutbox, rowsLeft, setUp, startConsumer, writeAccounts } from './fixture.ts';

t.test('B-outbox: an event reaches the audit store whole, and its row goes once that confirms', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  const outbox = openOutbox(fixture, bus, store);
  const consumption = startConsumer(bus, store, fixture);
  outbox.start();
  t.teardown(() => outbox.stop());
  t.teardown(() => consumption.stop());
  const person = {
    ...act,
    actorId: uuidv7(),
    actorKind: 'user' as const,
    actorName: '',
    ipAddress: '192.0.2.7',
    userAgent: 'Firefox',
    deviceId: 'device-1',
  };
  const resourceId = uuidv7();
  const eventId = await fixture.database.transaction(person, async (tx) => {
    await tx.sql`insert into account (id, owner) values (${resourceId}, 'x')`;
    return appendEvent(tx, person, {
      action: 'PAYMENT_CREATED',
      resourceType: 'payment',
      resourceId,
      subjectId: person.actorId,
      details: { currency: 'EUR' },
      personalDetails: { recipient: 'someone' },
    });
  });
  await until(() => store.events.size === 2);
  t.match(store.events.get(eventId), {
    id: eventId,
    action: 'PAYMENT_CREATED',
    resourceType: 'payment',
    resourceId,
    actorId: person.actorId,
    actorKind: 'user',
    subjectId: person.actorId,
    ipAddress: '192.0.2.7',
    userAgent: 'Firefox',
    deviceId: 'device-1',
    traceId: act.traceId,
    requestId: 'request-1',
    details: { currency: 'EUR' },
    personalDetails: { recipient: 'someone' },
    source: 'platform',
  });
  const occurred = Number(store.events.get(eventId)?.occurTime?.seconds ?? 0n);
  t.ok(Math.abs(occurred - Date.now() / 1000) < 60, 'by the time of the database');
  const write = [...store.events.values()].find(({ action }) => action === 'DB_WRITE');
  t.match(write, { actorId: person.actorId, resourceId, details: { table: 'account' }, source: 'platform' });
  await until(async () => (await rowsLeft(fixture)) === 0);
  t.equal(await fixture.metrics.value('outbox_confirmed_total'), 2);
  await until(async () => (await fixture.metrics.value('outbox_pending')) === 0);
});

t.test(
  'B-outbox, older fault 42: an event that is rolled back, or of a write that did not happen, is never sent',
  async (t) => {
    const nats = await createTestNats();
    t.teardown(() => nats.close());
    const { fixture, bus, store } = await setUp(t, nats.url);
    const { database } = fixture;
    const { sql } = database;
    await database
      .transaction(act, async (tx) => {
        await appendEvent(tx, act, { action: 'PAYMENT_CREATED', resourceType: 'payment', resourceId: 'undone' });
        throw new Error('undone');
      })
      .catch(() => undefined);
    const id = uuidv7();
    for (const name of ['first', 'second']) {
      const row = eventRow(act, { action: 'PAYMENT_CREATED', resourceType: 'payment', resourceId: name });
      await sql`with made as (insert into account (id, owner) values (${id}, ${name}) on conflict do nothing returning id),
      event as (${outboxInsert(sql, row, 'made')}) select * from made`;
    }
    const consumption = startConsumer(bus, store, fixture);
    t.teardown(() => consumption.stop());
    const outbox = openOutbox(fixture, bus, store);
    outbox.start();
    t.teardown(() => outbox.stop());
    await until(async () => store.events.size > 0 && (await rowsLeft(fixture)) === 0);
    t.same(
      [...store.events.values()].filter(({ action }) => action === 'PAYMENT_CREATED').map((event) => event.resourceId),
      ['first'],
    );
  },
);

t.test('B-outbox: an event that the audit store misses is sent again, though the bus remembers its id', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  const outbox = openOutbox(fixture, bus, store, { graceMs: 100 });
  await bus.ready();
  let seen = 0;
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'forgetful',
    batchSizeMax: 10,
    logger: fixture.log.logger,
    async handle(messages) {
      for (const { data } of messages) {
        seen += 1;
        if (seen > 1) store.take(data);
      }
      return undefined;
    },
  });
  t.teardown(() => consumption.stop());
  outbox.start();
  t.teardown(() => outbox.stop());
  const id = await appendEvent(fixture.database, act, {
    action: 'USER_LOGIN',
    resourceType: 'session',
    resourceId: 's',
  });
  await until(() => store.events.has(id), { what: 'the second copy' });
  await until(async () => (await rowsLeft(fixture)) === 0);
  t.equal(store.events.size, 1);
  t.ok((await fixture.metrics.value('outbox_republished_total')) >= 1);
});

t.test('B-outbox: while the audit store can not confirm, rows stay', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  const outbox = openOutbox(fixture, bus, store);
  const consumption = startConsumer(bus, store, fixture);
  store.setDown(true);
  outbox.start();
  t.teardown(() => outbox.stop());
  t.teardown(() => consumption.stop());
  await writeAccounts(fixture.database, 5);
  // Not only consumed: the relay must have committed that it published, or nobody is asked about the rows.
  await until(async () => (await outbox.state()).unconfirmed === 10 && store.events.size === 10);
  await t.rejects(outbox.reconcile(), /admin is away/);
  t.equal(await rowsLeft(fixture), 10);
  t.equal(await fixture.metrics.value('outbox_unconfirmed'), 10, 'and whoever watches is told');
  t.ok((await fixture.metrics.value('outbox_oldest_age_seconds')) > 0);
  store.setDown(false);
  await until(async () => (await rowsLeft(fixture)) === 0);
});

t.test('B-outbox: two relays on one database take turns: order is kept and nothing is sent twice', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  const other = await fixture.open();
  const second = createOutbox({
    database: other,
    bus,
    logger: fixture.log.logger,
    metrics: fixture.metrics,
    confirm: store.confirm,
    intervalMs: 50,
    minAgeMs: 0,
    graceMs: 60_000,
  });
  const first = openOutbox(fixture, bus, store);
  await bus.ready();
  first.start();
  second.start();
  t.teardown(() => Promise.all([first.stop(), second.stop()]));
  await Promise.all([writeAccounts(fixture.database, 100, 'a'), writeAccounts(other, 100, 'b')]);
  await until(async () => (await first.state()).pending === 0);
  const info = await bus.connection().manager.streams.info('EVENTS');
  t.equal(info.state.messages, 400);
  t.equal(await fixture.metrics.value('outbox_published_total'), 400, 'none was published by both');
  const consumption = startConsumer(bus, store, fixture);
  t.teardown(() => consumption.stop());
  await until(() => store.events.size === 400);
  t.equal(store.copies(), 400);
  await until(async () => (await rowsLeft(fixture)) === 0);
});

t.test('B-notify: a notice travels sealed, and only under its own id', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  const key = createNoticeKey(createKeyring([{ id: 'k', key: Buffer.alloc(32, 7) }]));
  const notice = {
    userId: 'u1',
    template: 'password-reset',
    email: 'canary@example.com',
    values: { link: 'https://example.com/canary-link' },
    expireTime: new Date(Date.now() + 60_000),
  };
  const id = await fixture.database.transaction(act, (tx) => appendNotice(tx, key, notice));
  await appendNotice(fixture.database, key, { ...notice, expireTime: new Date(Date.now() - 1_000) });
  const [stored] = await fixture.superuser`select payload from strongroom.outbox`;
  t.notMatch(Buffer.from(stored?.['payload']).toString('latin1'), /canary/);
  const received: Uint8Array[] = [];
  const subjects: string[] = [];
  const consumption = consume({
    bus,
    stream: 'NOTICES',
    durable: 'notices',
    batchSizeMax: 10,
    logger: fixture.log.logger,
    async handle(messages) {
      received.push(...messages.map(({ data }) => data));
      subjects.push(...messages.map((message) => message.subject));
      return undefined;
    },
  });
  t.teardown(() => consumption.stop());
  const outbox = openOutbox(fixture, bus, store);
  await outbox.reconcile();
  t.equal(await rowsLeft(fixture), 1, 'an expired notice is dropped unsent');
  outbox.start();
  t.teardown(() => outbox.stop());
  await until(() => received.length === 1);
  t.same(subjects, ['strongroom.notices.password-reset']);
  const message = fromBinary(NoticeSchema, received[0] ?? new Uint8Array());
  t.equal(message.id, id);
  t.match(openNotice(key, message), { email: 'canary@example.com', values: notice.values });
  t.throws(() => openNotice(key, { ...message, id: uuidv7() }), { name: 'OpenError' });
});

t.test('S1.4: what a process does by itself has the service as its actor', async (t) => {
  const row = eventRow(serviceAct('payments'), {
    action: 'PAYMENT_COMPLETED',
    resourceType: 'payment',
    resourceId: 'p',
  });
  t.match(fromBinary(AuditEventSchema, row.payload), { actorKind: 'service', actorName: 'payments', actorId: '' });
});
