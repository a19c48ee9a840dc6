import type { Bus } from '@strongroom/platform/bus';
import type { Database, Queryable } from '@strongroom/platform/database';
import { auditDurable } from '../audit/ingest-events.ts';
import { countParkedEvents } from '../audit/parked-event-store.ts';

export interface AuditLag {
  /** Events on the bus that the log doesn't hold yet. */
  readonly events: number;
  /** Age of the oldest of them. */
  readonly seconds: number;
  /** Messages that are no events. */
  readonly parked: number;
}

/** How far the log is behind the bus. What is still in an outbox is its service's to tell. */
export async function readAuditLag({
  bus,
  auditDatabase,
}: {
  readonly bus: Bus;
  readonly auditDatabase: Database;
}): Promise<AuditLag> {
  const { manager } = bus.connection();
  const info = await manager.consumers.info('EVENTS', auditDurable);
  const events = info.num_pending + info.num_ack_pending;
  const parked = await countParkedEvents(auditDatabase);
  if (events === 0) return { events, seconds: 0, parked };
  return { events, seconds: await secondsSinceNewest(auditDatabase), parked };
}

/** What waits is younger than what was last taken in: the age of that bounds the lag from above. */
async function secondsSinceNewest({ sql }: Queryable): Promise<number> {
  const [row] = await sql`
    select extract(epoch from clock_timestamp() - record_time)::float8 as seconds
    from audit_record order by audit_record.sequence desc limit 1`;
  return Number(row?.['seconds'] ?? 0);
}
