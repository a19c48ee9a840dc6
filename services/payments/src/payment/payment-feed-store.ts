import type { Queryable } from '@strongroom/platform/database';

/** A place in the stream of changes: by transaction, then by order within it. */
export interface FeedPosition {
  readonly transactionId: string;
  readonly sequence: string;
}

export interface FeedEntry extends FeedPosition {
  readonly paymentId: string;
}

/**
 * Changes after a position that one person is a party of. Only of transactions older than every one that still runs: a
 * change that commits late then never falls behind a position that was handed out.
 */
export async function listFeed(
  source: Queryable,
  userId: string,
  after: FeedPosition,
  rowsMax: number,
): Promise<FeedEntry[]> {
  const { sql } = source;
  const part = (party: ReturnType<typeof sql>) => sql`(
    select payment_id, transaction_id, sequence from payment_changes
    where ${party} = ${userId}
      and (transaction_id, sequence) > (${after.transactionId}::text::xid8, ${after.sequence}::text::bigint)
      and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    order by transaction_id, sequence limit ${rowsMax})`;
  return [
    ...(await sql<FeedEntry[]>`
      select payment_id as "paymentId", transaction_id::text as "transactionId", sequence::text as sequence
      from (${part(sql`sender_id`)} union ${part(sql`recipient_id`)}) c
      order by c.transaction_id, c.sequence limit ${rowsMax}`),
  ];
}

/** Before everything that still runs: what commits from now on comes after it. */
export async function currentPosition(source: Queryable): Promise<FeedPosition> {
  const [row] = await source.sql<{ transactionId: string }[]>`
    select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as "transactionId"`;
  return { transactionId: row?.transactionId ?? '0', sequence: '9223372036854775807' };
}
