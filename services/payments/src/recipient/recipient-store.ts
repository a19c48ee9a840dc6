import type { Queryable } from '@strongroom/platform/database';

/** Whom somebody has paid, latest first. Bounded by how many auth answers about at once. */
export const pastRecipientsMax = 100;

export async function listPastRecipients(source: Queryable, senderId: string): Promise<string[]> {
  const rows = await source.sql<{ id: string }[]>`
    select recipient_id as id from payments where sender_id = ${senderId}
    group by recipient_id order by max(create_time) desc limit ${pastRecipientsMax}`;
  return rows.map(({ id }) => id);
}
