// What the tests of the outbox share: a pretend audit store, and the parts around an outbox.
import { fromBinary } from '@bufbuild/protobuf';
import { type AuditEvent, AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { type Bus, consume, createBus } from '@strongroom/platform/bus';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import { appendEvent, createOutbox, type OutboxOptions } from '@strongroom/platform/outbox';
import type tap from 'tap';
import { act, createDatabaseFixture, type DatabaseFixture } from '../database/fixture.ts';

/** What the admin service does with events: takes each id once. */
export function createAuditStore() {
  const events = new Map<string, AuditEvent>();
  let copies = 0;
  let isDown = false;
  return {
    events,
    copies: () => copies,
    setDown(value: boolean) {
      isDown = value;
    },
    take(bytes: Uint8Array) {
      const event = fromBinary(AuditEventSchema, bytes);
      copies += 1;
      events.set(event.id, event);
    },
    async confirm(ids: readonly string[]): Promise<string[]> {
      if (ids.length > 500) throw new Error('too many ids');
      if (isDown) throw new Error('admin is away');
      return ids.filter((id) => events.has(id));
    },
    actions: () => [...events.values()].map(({ action }) => action),
  };
}
export type AuditStore = ReturnType<typeof createAuditStore>;

export function startConsumer(bus: Bus, store: AuditStore, fixture: DatabaseFixture) {
  return consume({
    bus,
    stream: 'EVENTS',
    durable: 'audit',
    batchSizeMax: 200,
    logger: fixture.log.logger,
    async handle(messages) {
      for (const { data } of messages) store.take(data);
      return undefined;
    },
  });
}

export function openOutbox(fixture: DatabaseFixture, bus: Bus, store: AuditStore, more: Partial<OutboxOptions> = {}) {
  return createOutbox({
    database: fixture.database,
    bus,
    logger: fixture.log.logger,
    metrics: fixture.metrics,
    confirm: store.confirm,
    intervalMs: 50,
    minAgeMs: 0,
    graceMs: 60_000,
    ...more,
  });
}

export async function setUp(t: Pick<typeof tap, 'teardown'>, url: string) {
  const fixture = await createDatabaseFixture();
  const bus = createBus({ url, name: 'tester', logger: fixture.log.logger, metrics: fixture.metrics });
  t.teardown(() => fixture.close());
  t.teardown(() => bus.close());
  return { fixture, bus, store: createAuditStore() };
}

export async function writeAccounts(database: Database, count: number, id = act.requestId): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await database.transaction({ ...act, requestId: id }, async (tx) => {
      const row = uuidv7();
      await tx.sql`insert into account (id, owner) values (${row}, 'x')`;
      await appendEvent(tx, act, { action: 'PAYMENT_CREATED', resourceType: 'payment', resourceId: row });
    });
  }
}

export const rowsLeft = async (fixture: DatabaseFixture) =>
  Number((await fixture.superuser`select count(*)::int as count from strongroom.outbox`)[0]?.['count']);
