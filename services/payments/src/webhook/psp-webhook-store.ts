import type { Queryable } from '@strongroom/platform/database';
import { asc, eq, inArray, lt, sql } from 'drizzle-orm';
import type { PspNotification } from '../psp/psp.ts';
import { pspWebhookEvents as events } from '../schema.ts';

/** Far longer than a message can be repeated: it is refused when it is older than 5 minutes. The rest is for questions. */
const eventsKeptFor = '30 days';

/** False for a repetition. Two at once wait for each other here, if not before for their payment. */
export async function takeEvent(tx: Queryable, { eventId, type, reference }: PspNotification): Promise<boolean> {
  const rows = await tx.orm
    .insert(events)
    .values({ eventId, type, reference, applied: false, note: '' })
    .onConflictDoNothing({ target: events.eventId })
    .returning({ eventId: events.eventId });
  return rows.length === 1;
}

/** What came of a message that was taken. */
export async function noteEvent(tx: Queryable, eventId: string, applied: boolean, note: string): Promise<void> {
  await tx.orm.update(events).set({ applied, note }).where(eq(events.eventId, eventId));
}

export async function deleteOldEvents({ orm }: Queryable, rowsMax: number): Promise<number> {
  const old = orm
    .select({ eventId: events.eventId })
    .from(events)
    .where(lt(events.receiveTime, sql`now() - ${eventsKeptFor}::interval`))
    .orderBy(asc(events.receiveTime))
    .limit(rowsMax);
  const rows = await orm.delete(events).where(inArray(events.eventId, old)).returning({ eventId: events.eventId });
  return rows.length;
}
