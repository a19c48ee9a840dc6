import type { Bus } from '@strongroom/platform/bus';
import { createKeyring } from '@strongroom/platform/crypto';
import { appendNotice, createNoticeKey } from '@strongroom/platform/outbox';
import { createPrivateEngine, createTestNats, until } from '@strongroom/testkit';
import t from 'tap';
import { openOutbox, rowsLeft, setUp, startConsumer, writeAccounts } from './fixture.ts';

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

t.test('F6: a bus that refuses is not hammered, and nothing is lost', async (t) => {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const { fixture, bus, store } = await setUp(t, nats.url);
  await bus.ready();
  let attempts = 0;
  let isRefusing = true;
  const moments: number[] = [];
  const refusing: Bus = {
    ...bus,
    async publish(...parts) {
      attempts += 1;
      moments.push(performance.now());
      if (isRefusing) throw new Error('maximum messages exceeded');
      await bus.publish(...parts);
    },
  };
  await writeAccounts(fixture.database, 1);
  const outbox = openOutbox(fixture, refusing, store);
  outbox.start();
  t.teardown(() => outbox.stop());
  await until(() => attempts >= 4, { timeoutMs: 20_000 });
  const gaps = moments.flatMap((moment, index) =>
    index > 0 && index % 2 === 0 ? [moment - (moments[index - 1] ?? 0)] : [],
  );
  for (const gap of gaps) t.ok(gap >= 900, 'at least a second between attempts of the same rows');
  const [row] = await fixture.superuser`select attempts, published_at from strongroom.outbox order by order_id limit 1`;
  t.match(row, { published_at: null });
  t.ok(Number(row?.['attempts']) >= 1);
  isRefusing = false;
  const consumption = startConsumer(bus, store, fixture);
  t.teardown(() => consumption.stop());
  await until(async () => store.events.size === 2 && (await rowsLeft(fixture)) === 0, { timeoutMs: 30_000 });
});
