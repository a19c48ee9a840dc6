// A process with the SDK, for trace.test.ts: one act, from its span over the outbox and the bus to the consumer.
import { consume, createBus } from '@strongroom/platform/bus';
import { databaseVariables, loadConfig } from '@strongroom/platform/config';
import { createDatabase, serviceAct } from '@strongroom/platform/database';
import { appendEvent, createOutbox } from '@strongroom/platform/outbox';
import { createLogger, currentTraceId, withSpan } from '@strongroom/platform/telemetry';

const logger = createLogger({ name: 'acting', level: 'silent' });
const config = await loadConfig(databaseVariables, process.env);
const database = await createDatabase({ url: config.DATABASE_URL, name: 'platform', config, logger });
const bus = createBus({ url: process.env['NATS_URL'] ?? '', name: 'acting', logger });
await bus.ready();
const outbox = createOutbox({ database, bus, logger, confirm: async () => [] });
outbox.start();

let traceId: string | undefined;
await withSpan('act', {}, () => {
  traceId = currentTraceId();
  const act = serviceAct('tester');
  return database.transaction(act, async (tx) => {
    await tx.sql`select ${'canary-parameter'}::text as value from strongroom.outbox`;
    await appendEvent(tx, act, { action: 'USER_LOGIN', resourceType: 'session', resourceId: 's' });
  });
});
const handled = Promise.withResolvers<void>();
const consumption = consume({
  bus,
  stream: 'EVENTS',
  durable: 'traced',
  batchSizeMax: 10,
  logger,
  async handle() {
    setImmediate(handled.resolve);
    return undefined;
  },
});
await handled.promise;
await consumption.stop();
process.stdout.write(`${JSON.stringify({ traceId })}\n`);
await outbox.stop();
await bus.close();
await database.close();
