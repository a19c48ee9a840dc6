import type { Queryable } from '@strongroom/platform/database';

/** A place in the stream of changes: by transaction, then by order within it. */
export interface FeedPosition {
  readonly transactionId: string;
  readonly sequence: string;
}

export interface FeedEntry extends FeedPosition {
  readonly paymentId: string;
}

/** What one person may be told next. */
export interface FeedQuestion {
  readonly userId: string;
  readonly after: FeedPosition;
  /** From `findHorizon`, asked before this. */
  readonly horizon: string;
  readonly rowsMax: number;
}

/** Changes after a position that one person is a party of, below the horizon. */
export async function listFeed(
  { sql }: Queryable,
  { userId, after, horizon, rowsMax }: FeedQuestion,
): Promise<FeedEntry[]> {
  const part = (party: ReturnType<typeof sql>) => sql`(
    select payment_id, transaction_id, sequence from payment_changes
    where ${party} = ${userId}
      and (transaction_id, sequence) > (${after.transactionId}::text::xid8, ${after.sequence}::text::bigint)
      and transaction_id < ${horizon}::text::xid8
    order by transaction_id, sequence limit ${rowsMax})`;
  return [
    ...(await sql<FeedEntry[]>`
      select payment_id as "paymentId", transaction_id::text as "transactionId", sequence::text as sequence
      from (${part(sql`sender_id`)} union ${part(sql`recipient_id`)}) c
      order by c.transaction_id, c.sequence limit ${rowsMax}`),
  ];
}

/**
 * The oldest transaction of this database that still runs; all before it have been decided, so that a change that commits
 * late never falls behind a position that was handed out. The snapshot knows the running ones of the whole cluster: those
 * that hold their own lock in another database can't write here, and nobody waits for them.
 */
export async function findHorizon({ sql }: Queryable): Promise<string> {
  const [row] = await sql<{ horizon: string }[]>`
    select coalesce(min(running.xid), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)::text as horizon
    from (select xid::text::bigint as xid from pg_snapshot_xip(pg_current_snapshot()) as xid) running
    where not exists (
      select 1 from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
        and l.transactionid::text::bigint = running.xid % (1::bigint << 32)
        and a.datid <> (select oid from pg_database where datname = current_database()))`;
  return row?.horizon ?? '0';
}

/** Before everything that still runs: what commits from now on comes after it. */
export function positionBefore(horizon: string): FeedPosition {
  return { transactionId: String(BigInt(horizon) - 1n), sequence: '9223372036854775807' };
}

/** One question for all streams that ask at once, as they do whenever a payment has changed. */
export function createFeedHorizon(database: Queryable): () => Promise<string> {
  let asked: Promise<string> | undefined;
  return () => {
    asked ??= findHorizon(database).finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
