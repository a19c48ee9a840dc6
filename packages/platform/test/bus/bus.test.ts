import { setImmediate } from 'node:timers/promises';
import { ack, type BusMessage, consume, createBus, park, retry } from '@strongroom/platform/bus';
import { commonErrors, isServiceError } from '@strongroom/platform/errors';
import { createMetrics } from '@strongroom/platform/telemetry';
import { createPrivateEngine, createTestNats, until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { createTestLogger } from '../database/fixture.ts';

function openBus(url: string) {
  const log = createTestLogger();
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  const bus = createBus({ url, name: 'tester', logger: log.logger, metrics });
  return { bus, log, metrics };
}

/** On streams of its own. */
async function startBus(t: Test) {
  const nats = await createTestNats();
  t.teardown(() => nats.close());
  const opened = openBus(nats.url);
  t.teardown(() => opened.bus.close());
  await opened.bus.ready();
  return opened;
}

const text = (message: BusMessage) => Buffer.from(message.data).toString();
const subject = 'strongroom.events.test.PAYMENT_CREATED';

t.test('B-outbox: streams are made, and a message id is taken once', async (t) => {
  const { bus, metrics } = await startBus(t);
  await bus.check();
  t.same(
    bus.streams().map(({ name }) => name),
    ['EVENTS', 'NOTICES'],
  );
  t.equal(await metrics.value('bus_streams_created_total'), 2);
  t.equal(await metrics.value('bus_connected'), 1);
  for (let index = 0; index < 3; index += 1) await bus.publish(subject, Buffer.from('once'), { messageId: 'a' });
  const info = await bus.connection().manager.streams.info('EVENTS');
  t.equal(info.state.messages, 1);
  t.match(info.config, { deny_delete: true, storage: 'file', retention: 'limits', num_replicas: 1 });
  const nowhere = await bus
    .publish('strongroom.nowhere', Buffer.from('x'), { messageId: 'b' })
    .catch((e: unknown) => e);
  t.ok(isServiceError(nowhere, 'UNAVAILABLE'), 'a message that no stream takes is not taken');
});

t.test('B-outbox: messages come in batches, in order, each with its delivery count and headers', async (t) => {
  const { bus, log } = await startBus(t);
  for (let index = 0; index < 50; index += 1) {
    await bus.publish(subject, Buffer.from(String(index)), { messageId: `m${index}`, headers: { traceparent: 'x' } });
  }
  const seen: BusMessage[] = [];
  const sizes: number[] = [];
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 20,
    logger: log.logger,
    async handle(messages) {
      sizes.push(messages.length);
      seen.push(...messages);
      return undefined;
    },
  });
  t.teardown(() => consumption.stop());
  await until(() => seen.length === 50);
  t.same(
    seen.map(text),
    Array.from({ length: 50 }, (_, index) => String(index)),
  );
  t.ok(Math.max(...sizes) <= 20);
  t.match(seen[0], { subject, messageId: 'm0', deliveryCount: 1, headers: { traceparent: 'x' } });
  await until(async () => (await bus.connection().manager.consumers.info('EVENTS', 'reader')).num_ack_pending === 0);
});

t.test('F29, older fault 41: poison is tried a few times, then parked, and holds nobody up', async (t) => {
  const { bus, log, metrics } = await startBus(t);
  const payloads = ['1', 'poison', '2', 'rotten', '3'];
  for (const [index, payload] of payloads.entries()) {
    await bus.publish(subject, Buffer.from(payload), { messageId: `p${index}` });
  }
  const good: string[] = [];
  const parked: [string, string, number][] = [];
  let tries = 0;
  let hasParkFailed = false;
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 10,
    deliveriesMax: 3,
    logger: log.logger,
    metrics,
    async handle(messages) {
      const texts = messages.map(text);
      if (texts.includes('poison')) {
        tries += 1;
        throw new TypeError('can not be read');
      }
      good.push(...texts.filter((each) => each !== 'rotten'));
      return texts.map((each) => (each === 'rotten' ? park('too old') : ack));
    },
    async onPark(message, reason) {
      if (!hasParkFailed && text(message) === 'poison') {
        hasParkFailed = true;
        throw new Error('the table is away');
      }
      parked.push([text(message), reason, message.deliveryCount]);
    },
  });
  t.teardown(() => consumption.stop());
  await until(() => good.length >= 3);
  t.same([...new Set(good)].sort(), ['1', '2', '3']);
  await until(() => parked.length === 2, { timeoutMs: 20_000 });
  t.same(parked[0], ['rotten', 'too old', 1]);
  t.match(parked[1], ['poison', /^failed \d times$/, 4], 'a message that could not be parked stays until it can');
  t.ok(tries >= 3);
  await until(async () => (await bus.connection().manager.consumers.info('EVENTS', 'reader')).num_ack_pending === 0);
  await bus.publish(subject, Buffer.from('4'), { messageId: 'p9' });
  await until(() => good.includes('4'));
  t.equal(parked.length, 2, 'what is parked does not come again');
});

t.test('F28: an outage of a dependency costs no message its chances', async (t) => {
  const { bus, log } = await startBus(t);
  await bus.publish(subject, Buffer.from('patient'), { messageId: 'q' });
  let deliveries = 0;
  const parked: string[] = [];
  const done: string[] = [];
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 10,
    deliveriesMax: 1,
    logger: log.logger,
    async handle(messages) {
      deliveries += 1;
      if (deliveries < 3) throw commonErrors.UNAVAILABLE();
      done.push(...messages.map(text));
      return undefined;
    },
    onPark: async (message) => void parked.push(text(message)),
  });
  t.teardown(() => consumption.stop());
  await until(() => done.length === 1);
  t.same(parked, []);
});

t.test('F4, F5: consumers and publishers survive a killed server and a wiped store', async (t) => {
  const engine = await createPrivateEngine('nats');
  t.teardown(() => engine.close());
  const { bus, log, metrics } = openBus(engine.url);
  t.teardown(() => bus.close());
  await bus.ready();
  const seen: string[] = [];
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 10,
    logger: log.logger,
    async handle(messages) {
      seen.push(...messages.map(text));
      return undefined;
    },
  });
  t.teardown(() => consumption.stop());
  const created: string[] = [];
  bus.onStreams((streams) => created.push(...streams.filter(({ wasMissing }) => wasMissing).map(({ name }) => name)));
  await bus.publish(subject, Buffer.from('before'), { messageId: '1' });
  await until(() => seen.includes('before'));

  await engine.kill();
  await until(() => !bus.state().isConnected);
  const refused = await bus.publish(subject, Buffer.from('x'), { messageId: '2' }).catch((error: unknown) => error);
  t.ok(isServiceError(refused, 'UNAVAILABLE'));
  await t.rejects(bus.check());
  await engine.start();
  await bus.ready();
  await until(() => bus.publish(subject, Buffer.from('after the kill'), { messageId: '3' }).then(() => true));
  await until(() => seen.includes('after the kill'), { timeoutMs: 30_000 });

  await engine.stop();
  engine.wipe();
  await engine.start();
  await until(() => bus.publish(subject, Buffer.from('after the wipe'), { messageId: '4' }).then(() => true), {
    timeoutMs: 30_000,
  });
  await until(() => seen.includes('after the wipe'), { timeoutMs: 30_000 });
  t.same(created.sort(), ['EVENTS', 'NOTICES'], 'the streams were made again');
  t.ok((await metrics.value('bus_reconnects_total')) >= 2);
});

t.test('F5: a consumer or stream that is deleted under the process is made again', async (t) => {
  const { bus, log } = await startBus(t);
  const seen: string[] = [];
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 10,
    logger: log.logger,
    async handle(messages) {
      seen.push(...messages.map(text));
      return undefined;
    },
  });
  t.teardown(() => consumption.stop());
  await bus.publish(subject, Buffer.from('1'), { messageId: '1' });
  await until(() => seen.includes('1'));
  const { manager } = bus.connection();
  await manager.consumers.delete('EVENTS', 'reader');
  await bus.publish(subject, Buffer.from('2'), { messageId: '2' });
  await until(() => seen.includes('2'), { timeoutMs: 30_000, what: 'the consumer is back' });
  await manager.streams.delete('EVENTS');
  await bus.ensureStreams();
  await bus.publish(subject, Buffer.from('3'), { messageId: '3' });
  await until(() => seen.includes('3'), { timeoutMs: 30_000, what: 'the stream and consumer are back' });
});

t.test('S1.5: a process starts without the bus and finds it later', async (t) => {
  const engine = await createPrivateEngine('nats');
  t.teardown(() => engine.close());
  await engine.stop();
  const { bus } = openBus(engine.url);
  t.teardown(() => bus.close());
  const signals: string[] = [];
  bus.onSignal('flags', (bytes) => signals.push(Buffer.from(bytes).toString()));
  t.same(bus.state(), { isConnected: false, hasStreams: false });
  bus.signal('flags', Buffer.from('lost'));
  await engine.start();
  await bus.ready();
  await until(() => {
    bus.signal('flags', Buffer.from('heard'));
    return signals.includes('heard');
  });
  t.notOk(signals.includes('lost'));
});

t.test('B-outbox: a retry comes after its delay, and stopping ends the batch in hand', async (t) => {
  const { bus, log } = await startBus(t);
  const counts: number[] = [];
  const consumption = consume({
    bus,
    stream: 'EVENTS',
    durable: 'reader',
    batchSizeMax: 10,
    logger: log.logger,
    async handle(messages) {
      counts.push(...messages.map((message) => message.deliveryCount));
      return messages.map((message) => (message.deliveryCount < 3 ? retry(10) : ack));
    },
  });
  await bus.publish(subject, Buffer.from('again'), { messageId: '1' });
  await until(() => counts.length === 3);
  t.same(counts, [1, 2, 3]);
  await consumption.stop();
  await bus.publish(subject, Buffer.from('later'), { messageId: '2' });
  const info = await bus.connection().manager.consumers.info('EVENTS', 'reader');
  t.equal(info.num_pending, 1);
  t.equal(counts.length, 3);
});

t.test('B-outbox: a consumer that is stopped while it is being made ends, at whatever step', async (t) => {
  const { bus, log } = await startBus(t);
  const handle = async () => undefined;
  for (let turns = 0; turns < 60; turns += 1) {
    const durable = `short-${turns}`;
    const consumption = consume({ bus, stream: 'EVENTS', durable, batchSizeMax: 10, logger: log.logger, handle });
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    await consumption.stop();
  }
  await bus.publish(subject, Buffer.from('late'), { messageId: 'late' });
  for await (const consumer of bus.connection().manager.consumers.list('EVENTS')) {
    t.equal(consumer.num_pending, 1, `${consumer.name} takes nothing after its stop`);
  }
});
