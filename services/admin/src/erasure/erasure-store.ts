import type { Queries } from '../queries.ts';

const keystoreLock = 7_203_426;

/**
 * Whoever holds it, until the transaction ends, is alone in rewriting the keystore: its files hold many persons, and two at
 * once would bring back whom the other erased.
 */
export async function lockKeystore({ sql }: Queries): Promise<void> {
  await sql`select pg_advisory_xact_lock(${keystoreLock})`;
}

/** Gives whether this is the first time. */
export async function insertErasure({ sql }: Queries, userId: string): Promise<boolean> {
  const { count } = await sql`insert into erasure (user_id) values (${userId}::uuid) on conflict do nothing`;
  return count > 0;
}

/** What the detection of anomalies knows about a person: places, hours, devices, amounts. */
export async function deleteBaseline({ sql }: Queries, userId: string): Promise<void> {
  await sql`delete from anomaly_baseline where user_id = ${userId}::uuid`;
  await sql`update anomaly set reasons = '{}' where user_id = ${userId}::uuid and reasons <> '{}'`;
}
