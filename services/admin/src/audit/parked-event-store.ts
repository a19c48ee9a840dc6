import type { Queries } from '../queries.ts';

export interface ParkedEvent {
  readonly id: string;
  readonly digest: Uint8Array;
  readonly messageId: string;
  readonly subject: string;
  /** The message as it came, sealed: it may hold personal data (B-erase). */
  readonly sealedPayload: Uint8Array;
  readonly reason: string;
}

/** The same message parks once, however often it is delivered. Gives the number of new rows. */
export async function insertParkedEvent({ sql }: Queries, event: ParkedEvent): Promise<number> {
  const { count } = await sql`
    insert into parked_event (id, digest, message_id, subject, sealed_payload, reason)
    values (${event.id}::uuid, ${Buffer.from(event.digest)}, ${event.messageId}, ${event.subject},
      ${Buffer.from(event.sealedPayload)}, ${event.reason})
    on conflict (digest) do nothing`;
  return count;
}

/** Parked and not yet replayed, oldest first. */
export async function listParkedEvents({ sql }: Queries, limit: number, after: string): Promise<ParkedEvent[]> {
  const rows = await sql`
    select id::text, digest, message_id, subject, sealed_payload, reason from parked_event
    where replay_time is null and id > ${after}::uuid order by id limit ${limit}`;
  return rows.map((row) => ({
    id: String(row['id']),
    digest: row['digest'] as Uint8Array,
    messageId: String(row['message_id']),
    subject: String(row['subject']),
    sealedPayload: row['sealed_payload'] as Uint8Array,
    reason: String(row['reason']),
  }));
}

export async function markReplayed({ sql }: Queries, ids: readonly string[]): Promise<void> {
  await sql`update parked_event set replay_time = clock_timestamp() where id = any(${[...ids]}::uuid[])`;
}

export async function countParkedEvents({ sql }: Queries): Promise<number> {
  const [row] = await sql`select count(*)::int as parked from parked_event where replay_time is null`;
  return Number(row?.['parked'] ?? 0);
}
