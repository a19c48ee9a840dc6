import type { Queryable } from '@strongroom/platform/database';

/** One use of a key: by whom, for what, with which content. */
export interface KeyUse {
  readonly userId: string;
  readonly method: string;
  readonly keyHash: Buffer;
  readonly requestHash: Buffer;
  /** As it is stored: whoever knows a bare hash of a short request could find the request by trying. */
  readonly sealedRequestHash: Buffer;
  /** Number of the advisory lock that stands for the key while a transaction works on it. */
  readonly lock: bigint;
  /** How long the key counts, from the database's now on: a service's clock may be wrong (F14). */
  readonly lifetimeS: number;
}

export interface StoredKey {
  readonly sealedRequestHash: Buffer;
  readonly fence: bigint;
  readonly response: Buffer | null;
  /** Milliseconds until the lease of whoever works on it is over; 0 when it is. */
  readonly leaseLeftMs: number;
}

/** 'busy': a transaction holds the key right now. 'known': it was used before. */
export type ClaimOutcome = 'claimed' | 'busy' | 'known';

/**
 * Takes the key for the rest of the transaction. The advisory lock makes a second request answer at once instead of
 * holding a connection until the first commits.
 */
export async function claimKey(tx: Queryable, use: KeyUse, leaseMs: number): Promise<ClaimOutcome> {
  const [row] = await tx.sql<{ held: boolean; claimed: boolean }[]>`
    with gate as materialized (select pg_try_advisory_xact_lock(${use.lock}) as held),
    claimed as (
      insert into idempotency_keys (user_id, method, key_hash, request_hash, lease_until, expire_time)
      select ${use.userId}, ${use.method}, ${use.keyHash}, ${use.sealedRequestHash},
        now() + ${leaseMs} * interval '1 millisecond', now() + ${use.lifetimeS} * interval '1 second'
      from gate where held
      on conflict do nothing
      returning 1
    )
    select held, exists (select 1 from claimed) as claimed from gate`;
  if (row?.held !== true) return 'busy';
  return row.claimed ? 'claimed' : 'known';
}

export async function findKey(source: Queryable, use: KeyUse): Promise<StoredKey | undefined> {
  const [row] = await source.sql<StoredKey[]>`
    select request_hash as "sealedRequestHash", fence, response,
      greatest(0, coalesce(ceil(extract(epoch from lease_until - clock_timestamp()) * 1000), 0))::float8 as "leaseLeftMs"
    from idempotency_keys
    where user_id = ${use.userId} and method = ${use.method} and key_hash = ${use.keyHash}`;
  return row;
}

/** Whoever works on the key has crashed or hangs: the next one takes its place, and its fence shuts the first out. */
export async function takeOverKey(tx: Queryable, use: KeyUse, leaseMs: number): Promise<bigint | undefined> {
  const [row] = await tx.sql<{ fence: bigint }[]>`
    update idempotency_keys set fence = fence + 1, lease_until = now() + ${leaseMs} * interval '1 millisecond'
    where user_id = ${use.userId} and method = ${use.method} and key_hash = ${use.keyHash}
      and response is null and lease_until <= now()
    returning fence`;
  return row?.fence;
}

/** False when the fence has risen: somebody else has taken over. */
export async function storeResponse(tx: Queryable, use: KeyUse, fence: bigint, response: Buffer): Promise<boolean> {
  const rows = await tx.sql`
    update idempotency_keys set response = ${response}, lease_until = null
    where user_id = ${use.userId} and method = ${use.method} and key_hash = ${use.keyHash}
      and fence = ${fence} and response is null
    returning 1`;
  return rows.length === 1;
}

/** After a refusal without effect: the key may be used again. */
export async function releaseKey(source: Queryable, use: KeyUse, fence: bigint): Promise<void> {
  await source.sql`
    delete from idempotency_keys
    where user_id = ${use.userId} and method = ${use.method} and key_hash = ${use.keyHash}
      and fence = ${fence} and response is null`;
}

export async function deleteExpiredKeys(source: Queryable, rowsMax: number): Promise<number> {
  const rows = await source.sql`
    delete from idempotency_keys where (user_id, method, key_hash) in (
      select user_id, method, key_hash from idempotency_keys where expire_time < now()
      order by expire_time limit ${rowsMax} for update skip locked)
    returning 1`;
  return rows.length;
}
