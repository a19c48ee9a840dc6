import type { Queries } from '../queries.ts';

export interface StoredHold {
  readonly id: string;
  readonly userId: string;
  readonly reason: string;
  readonly actorId: string;
  readonly createTime: string;
  readonly releaseTime: string | null;
}

/** Erasing and holding a person wait for each other: a hold that was answered is one that no erasure overtakes. */
const personLockSpace = 7_203_430;

/** Until the end of the transaction, nobody else holds, releases or erases this person. */
export async function lockPerson({ sql }: Queries, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${userId}, ${personLockSpace}))`;
}

export async function findActiveHold({ sql }: Queries, userId: string): Promise<StoredHold | undefined> {
  const [row] = await sql`
    select ${columns(sql)} from legal_hold where user_id = ${userId}::uuid and release_time is null`;
  return row && rowToHold(row);
}

/** Everyone held now: what retention spares. */
export async function listHeldPersons({ sql }: Queries): Promise<string[]> {
  const rows = await sql`select user_id::text from legal_hold where release_time is null`;
  return rows.map((row) => String(row['user_id']));
}

export async function insertHold(
  { sql }: Queries,
  hold: { id: string; userId: string; reason: string; actorId: string },
): Promise<StoredHold> {
  const [row] = await sql`
    insert into legal_hold (id, user_id, reason, actor_id)
    values (${hold.id}::uuid, ${hold.userId}::uuid, ${hold.reason}, ${hold.actorId}::uuid)
    returning ${columns(sql)}`;
  return rowToHold(row as Record<string, unknown>);
}

export async function releaseHold({ sql }: Queries, id: string): Promise<StoredHold> {
  const [row] = await sql`
    update legal_hold set release_time = clock_timestamp() where id = ${id}::uuid returning ${columns(sql)}`;
  return rowToHold(row as Record<string, unknown>);
}

function columns(sql: Queries['sql']) {
  return sql`id::text, user_id::text, reason, actor_id::text, create_time, release_time`;
}

function rowToHold(row: Record<string, unknown>): StoredHold {
  return {
    id: String(row['id']),
    userId: String(row['user_id']),
    reason: String(row['reason']),
    actorId: String(row['actor_id']),
    createTime: String(row['create_time']),
    releaseTime: row['release_time'] === null ? null : String(row['release_time']),
  };
}
