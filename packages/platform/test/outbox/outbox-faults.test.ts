import type { Bus } from '@strongroom/platform/bus';
import { createKeyring, uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent, appendNotice, createNoticeKey } from '@strongroom/platform/outbox';
import { createPrivateEngine, createTestNats, until } from '@strongroom/testkit';
import { DiscardPolicy } from 'nats';
import t from 'tap';
import { act } from '../database/fixture.ts';
import { openOutbox, rowsLeft, setUp, startConsumer, writeAccounts } from './fixture.ts';

/** Each account makes two events: the stream is full with half of them. */
const streamHolds = 12;
/** A second, less what timers may be early. */
const backoffMs = 990;

t.test('S1.5, F4: NATS killed under load: writes go on, and nothing is lost or doubled', async (t) => {
  const engine = await createPrivateEngine('nats');
  t.teardown(() => engine.close());
  const { fixture, bus, store } = await setUp(t, engine.url);
  const outbox = openOutbox(fixture, bus, store, { graceMs: 2_000 });
  const consumption = startConsumer(bus, store, fixture);
  outbox.start();
  t.teardown(() => outbox.stop());
  t.teardown(() => consumption.stop());
  await bus.ready();
  await writeAccounts(fixture.database, 20);
  const load = writeAccounts(fixture.database, 60);
  await engine.kill();
  await load;
  await writeAccounts(fixture.database, 20);
  await until(() => !bus.state().isConnected);
  t.ok((await rowsLeft(fixture)) >= 40, 'the outbox keeps what the bus can not take');
  await engine.start();
  await until(() => store.events.size >= 200, { timeoutMs: 30_000, what: 'all events' });
  await until(async () => (await rowsLeft(fixture)) === 0, { timeoutMs: 30_000 });
  t.equal(store.actions().filter((action) => action === 'PAYMENT_CREATED').length, 100);
  t.equal(store.actions().filter((action) => action === 'DB_WRITE').length, 100);
});

t.test('F5: a wiped JetStream store loses nothing, and the loss is told', async (t) => {
  const engine = await createPrivateEngine('nats');
  t.teardown(() => engine.close());
  const { fixture, bus, store } = await setUp(t, engine.url);
  const outbox = openOutbox(fixture, bus, store);
  outbox.start();
  t.teardown(() => outbox.stop());
  await bus.ready();
  await writeAccounts(fixture.database, 50);
  const key = createNoticeKey(createKeyring([{ id: 'k', key: Buffer.alloc(32, 7) }]));
  await appendNotice(fixture.database, key, {
    userId: 'u',
    template: 'lockout',
    email: 'a@example.com',
    values: {},
    expireTime: new Date(Date.now() + 60_000),
  });
  await until(async () => (await outbox.state()).unconfirmed === 100 && (await outbox.state()).pending === 0);
  t.equal(store.events.size, 0, 'published, and consumed by nobody');
  await engine.stop();
  engine.wipe();
  await engine.start();
  const consumption = startConsumer(bus, store, fixture);
  t.teardown(() => consumption.stop());
  await until(() => store.events.size >= 101, { timeoutMs: 30_000, what: 'all events and the one about the loss' });
  t.equal(store.actions().filter((action) => action === 'PAYMENT_CREATED').length, 50);
  const loss = [...store.events.values()].filter(({ action }) => action === 'ANOMALY_DETECTED');
  t.match(
    loss.find((event) => event.resourceId === 'EVENTS'),
    {
      details: { rule: 'TRANSPORT_LOSS', stream: 'EVENTS', rows: '100' },
    },
  );
  t.ok((await fixture.metrics.value('outbox_republished_total')) >= 100);
  const notices = await bus.connection().manager.streams.info('NOTICES');
  t.equal(notices.state.messages, 1, 'the notice is sent again too');
});

t.test('F6: a stream that is full refuses: it is asked once a second, and nothing is lost', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  await bus.ready();
  const { streams } = bus.connection().manager;
  const { config } = await streams.info('EVENTS');
  await streams.update('EVENTS', { ...config, discard: DiscardPolicy.New, max_msgs: streamHolds });
  const attempts = new Map<string, number[]>();
  const watched: Bus = {
    ...bus,
    publish(subject, bytes, options) {
      attempts.set(options.messageId, [...(attempts.get(options.messageId) ?? []), performance.now()]);
      return bus.publish(subject, bytes, options);
    },
  };
  await writeAccounts(fixture.database, streamHolds);
  const outbox = openOutbox(fixture, watched, store);
  outbox.start();
  t.teardown(() => outbox.stop());
  await until(() => [...attempts.values()].some((moments) => moments.length >= 3), { timeoutMs: 20_000 });
  t.equal((await streams.info('EVENTS')).state.messages, streamHolds, 'the stream took what it holds');
  const [row] = await fixture.superuser`
    select count(*)::int as pending, min(attempts)::int as attempts from strongroom.outbox where published_at is null`;
  t.equal(row?.['pending'], streamHolds, 'the other half waits in the outbox');
  t.ok(row?.['attempts'] >= 1, 'and was tried');
  for (const moments of attempts.values()) {
    for (const [index, moment] of moments.slice(1).entries()) {
      t.ok(moment - (moments[index] as number) >= backoffMs, 'at least a second between attempts of a row');
    }
  }
  await streams.update('EVENTS', config);
  const consumption = startConsumer(bus, store, fixture);
  t.teardown(() => consumption.stop());
  await until(async () => store.events.size === 2 * streamHolds && (await rowsLeft(fixture)) === 0, {
    timeoutMs: 30_000,
  });
});

t.test('F29: a row that no bus can take is set aside and told; the rows after it go at once', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  await bus.ready();
  const long = 'x'.repeat(8_388_608);
  await appendEvent(fixture.database, act, {
    action: 'PAYMENT_CREATED',
    resourceType: 'payment',
    resourceId: 'x',
    details: { text: long },
  });
  await fixture.superuser`insert into strongroom.outbox (event_id, kind, name, record)
    values (${uuidv7()}::uuid, 'event', 'DB_WRITE', jsonb_build_object('details', jsonb_build_object('text', ${long}::text)))`;
  await writeAccounts(fixture.database, 5);
  const outbox = openOutbox(fixture, bus, store);
  const consumption = startConsumer(bus, store, fixture);
  outbox.start();
  t.teardown(() => outbox.stop());
  t.teardown(() => consumption.stop());
  await until(() => store.actions().filter((action) => action === 'PAYMENT_CREATED').length === 5, {
    timeoutMs: 20_000,
  });
  const parked = await until(async () => {
    const rows = await fixture.superuser`select attempts from strongroom.outbox where parked_at is not null`;
    return rows.length === 2 ? rows.map((row) => row['attempts']) : undefined;
  });
  t.same(parked, [1, 1], 'neither is tried again and again');
  t.equal(fixture.log.lines.filter(({ msg }) => msg === 'a row of the outbox was parked').length, 2);
  await until(async () => (await fixture.metrics.value('outbox_oldest_age_seconds')) > 0, {
    what: 'what the alert sees',
  });
});
