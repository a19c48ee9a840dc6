import type { Queryable } from '@strongroom/platform/database';
import type { PspNotification } from '../psp/psp.ts';

/** Messages are refused when they are older than 5 minutes, so a day is enough to know a repetition. */
const eventsKeptFor = '30 days';

/** False for a repetition. Two at once wait for each other here, before anything else is locked. */
export async function takeEvent(tx: Queryable, { eventId, type, reference }: PspNotification): Promise<boolean> {
  const rows = await tx.sql`
    insert into psp_webhook_events (event_id, type, reference, applied, note)
    values (${eventId}, ${type}, ${reference}, false, '')
    on conflict (event_id) do nothing returning 1`;
  return rows.length === 1;
}

export async function noteEvent(tx: Queryable, eventId: string, isApplied: boolean, note: string): Promise<void> {
  await tx.sql`update psp_webhook_events set applied = ${isApplied}, note = ${note} where event_id = ${eventId}`;
}

export async function deleteOldEvents(source: Queryable, rowsMax: number): Promise<number> {
  const rows = await source.sql`
    delete from psp_webhook_events where event_id in (
      select event_id from psp_webhook_events where receive_time < now() - ${eventsKeptFor}::interval
      order by receive_time limit ${rowsMax})
    returning 1`;
  return rows.length;
}
