import type { ISql } from '../database/types.ts';
import type { StoredRow } from './message.ts';

/** One relay works at a time on a database, whichever process it is in: order is kept and no work is done twice. */
const relayLock = 7_203_421;

/**
 * In order, what the bus hasn't taken; nothing while another process' relay holds the lock of its transaction. Two
 * statements in one round trip: the second's snapshot is taken after the lock, so it can't show what the holder before
 * has published meanwhile.
 */
export async function claimUnpublished(sql: ISql, limit: number): Promise<StoredRow[]> {
  const [[lock], rows] = await Promise.all([
    sql<{ taken: boolean }[]>`select pg_try_advisory_xact_lock(${relayLock}) as taken`,
    sql<StoredRow[]>`
      select order_id, event_id, kind, name, payload, record, traceparent, created_at, round
      from strongroom.outbox where published_at is null and parked_at is null order by order_id limit ${limit}`,
  ]);
  return lock?.taken ? rows : [];
}

/** A notice past its time isn't worth a message any more. */
export async function deleteExpiredNotices(sql: ISql): Promise<number> {
  const deleted = await sql`
    delete from strongroom.outbox where kind = 'notice' and expires_at < now() and published_at is null`;
  return deleted.count;
}

export async function markPublished(sql: ISql, orderIds: readonly bigint[]): Promise<void> {
  await sql`
    update strongroom.outbox set published_at = clock_timestamp(), attempts = attempts + 1
    where order_id = any(${orderIds.map(String)}::bigint[])`;
}

export async function markRefused(sql: ISql, orderIds: readonly bigint[]): Promise<void> {
  await sql`
    update strongroom.outbox set attempts = attempts + 1
    where order_id = any(${orderIds.map(String)}::bigint[])`;
}

/** Tried once more after `update strongroom.outbox set parked_at = null`. */
export async function markParked(sql: ISql, orderIds: readonly bigint[]): Promise<void> {
  await sql`
    update strongroom.outbox set parked_at = clock_timestamp(), attempts = attempts + 1
    where order_id = any(${orderIds.map(String)}::bigint[])`;
}

export interface PublishedEvent {
  readonly order_id: bigint;
  readonly event_id: string;
  readonly published_at: string;
  readonly is_overdue: boolean;
}

/** Events that the bus took a while ago, after the given one. */
export async function listPublished(
  sql: ISql,
  page: { readonly afterOrderId: bigint; readonly minAgeMs: number; readonly graceMs: number; readonly limit: number },
): Promise<PublishedEvent[]> {
  return sql<PublishedEvent[]>`
    select order_id, event_id, published_at,
      published_at < clock_timestamp() - ${page.graceMs}::int * interval '1 millisecond' as is_overdue
    from strongroom.outbox
    where kind = 'event' and order_id > ${page.afterOrderId}
      and published_at < clock_timestamp() - ${page.minAgeMs}::int * interval '1 millisecond'
    order by order_id limit ${page.limit}`;
}

export async function deleteConfirmed(sql: ISql, orderIds: readonly bigint[]): Promise<number> {
  const deleted = await sql`delete from strongroom.outbox where order_id = any(${orderIds.map(String)}::bigint[])`;
  return deleted.count;
}

/** Sends rows out again under another message id. Only as they were seen: another process may have done it. */
export async function markForRepublication(sql: ISql, rows: readonly PublishedEvent[]): Promise<number> {
  const updated = await sql`
    update strongroom.outbox as held set published_at = null, round = least(held.round + 1, 32767)
    from unnest(${rows.map((row) => String(row.order_id))}::bigint[],
      ${rows.map((row) => row.published_at)}::timestamptz[]) as seen (order_id, published_at)
    where held.order_id = seen.order_id and held.published_at = seen.published_at`;
  return updated.count;
}

/** Whatever the bus took before its streams were made anew is gone from it. */
export async function republishBefore(sql: ISql, kind: 'event' | 'notice', before: Date): Promise<number> {
  const updated = await sql`
    update strongroom.outbox set published_at = null, round = least(round + 1, 32767)
    where kind = ${kind} and published_at < ${before.toISOString()}::timestamptz`;
  return updated.count;
}

/** Notices have nobody to confirm them: they stay until the bus has surely written them down. */
export async function deleteOldNotices(sql: ISql, keepMs: number): Promise<number> {
  const deleted = await sql`
    delete from strongroom.outbox
    where kind = 'notice' and published_at < clock_timestamp() - ${keepMs}::int * interval '1 millisecond'`;
  return deleted.count;
}

export interface OutboxState {
  readonly pending: number;
  readonly unconfirmed: number;
  readonly oldestAgeS: number;
}

const countMax = 100_000;

/** Counted up to a bound: an outbox that grew for a day must not be counted every second. */
export async function readState(sql: ISql): Promise<OutboxState> {
  const [row] = await sql<{ pending: number; unconfirmed: number; oldest_age_s: number }[]>`
    select
      (select count(*)::int from (select 1 from strongroom.outbox where published_at is null limit ${countMax}) as p)
        as pending,
      (select count(*)::int from (select 1 from strongroom.outbox where published_at is not null and kind = 'event'
        limit ${countMax}) as u) as unconfirmed,
      coalesce((select extract(epoch from clock_timestamp() - created_at)::float8 from strongroom.outbox
        order by order_id limit 1), 0) as oldest_age_s`;
  return { pending: row?.pending ?? 0, unconfirmed: row?.unconfirmed ?? 0, oldestAgeS: row?.oldest_age_s ?? 0 };
}
