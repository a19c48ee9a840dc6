import { clockTime, isOneOf, type Queryable } from '@strongroom/platform/database';
import { and, asc, count, gt, isNull } from 'drizzle-orm';
import { parkedEvents } from '../audit-schema.ts';

/** The payload is the message as it came, sealed: it may hold personal data (B-erase). */
export type ParkedEvent = Readonly<Omit<typeof parkedEvents.$inferSelect, 'parkTime' | 'replayTime'>>;

/** The same message parks once, however often it is delivered. Gives the number of new rows. */
export async function insertParkedEvent(db: Queryable, event: ParkedEvent): Promise<number> {
  const rows = await db.orm
    .insert(parkedEvents)
    .values(event)
    .onConflictDoNothing({ target: parkedEvents.digest })
    .returning({ id: parkedEvents.id });
  return rows.length;
}

/** Parked and not yet replayed, oldest first. */
export async function listParkedEvents(db: Queryable, limit: number, after: string): Promise<ParkedEvent[]> {
  return await db.orm
    .select()
    .from(parkedEvents)
    .where(and(isNull(parkedEvents.replayTime), gt(parkedEvents.id, after)))
    .orderBy(asc(parkedEvents.id))
    .limit(limit);
}

export async function markReplayed(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.orm.update(parkedEvents).set({ replayTime: clockTime }).where(isOneOf(parkedEvents.id, ids));
}

export async function countParkedEvents(db: Queryable): Promise<number> {
  const [row] = await db.orm.select({ parked: count() }).from(parkedEvents).where(isNull(parkedEvents.replayTime));
  return row?.parked ?? 0;
}
