import type { Queryable } from '@strongroom/platform/database';

/** Whether an event is still on its way to the log. */
export async function isWaitingEvent(source: Queryable, eventId: string): Promise<boolean> {
  const rows = await source.sql`select 1 from strongroom.outbox where event_id = ${eventId}`;
  return rows.length === 1;
}
