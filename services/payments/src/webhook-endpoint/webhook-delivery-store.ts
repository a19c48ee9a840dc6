import { isPast, type Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import { webhookDeliveries } from '../schema.ts';

const { body: _body, fence, ...columns } = getTableColumns(webhookDeliveries);

export type DeliveryRow = Readonly<Omit<typeof webhookDeliveries.$inferSelect, 'body' | 'fence'>>;

/** A delivery that is this process's to make, with what signs it. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly url: string;
  readonly body: string;
  readonly attemptCount: number;
  readonly fence: bigint;
  readonly secret: Buffer;
  readonly previousSecret: Buffer | null;
}

/** Newest first. */
export async function listDeliveryRows(
  source: Queryable,
  endpointId: string,
  { after, rowsMax }: PageBounds,
): Promise<DeliveryRow[]> {
  const { createTime, id, webhookEndpointId } = webhookDeliveries;
  return await source.orm
    .select(columns)
    .from(webhookDeliveries)
    .where(and(eq(webhookEndpointId, endpointId), isPast(after, [createTime, id], 'descending')))
    .orderBy(desc(createTime), desc(id))
    .limit(rowsMax);
}

/** Due at once, with the attempts counted anew. */
export async function requeueDelivery(tx: Queryable, id: string, endpointId: string): Promise<DeliveryRow | undefined> {
  const [row] = await tx.orm
    .update(webhookDeliveries)
    .set({ state: 'pending', attemptCount: 0, nextAttemptTime: sql`now()`, fence: sql`${fence} + 1` })
    .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.webhookEndpointId, endpointId)))
    .returning(columns);
  return row;
}

export async function claimDeliveries(source: Queryable, leaseMs: number, rowsMax: number): Promise<ClaimedDelivery[]> {
  return [
    ...(await source.sql<ClaimedDelivery[]>`
      with due as (
        select d.id from webhook_deliveries d
        where d.state = 'pending' and d.next_attempt_time <= now()
        order by d.next_attempt_time limit ${rowsMax} for update skip locked
      ), claimed as (
        update webhook_deliveries d set fence = d.fence + 1, attempt_count = d.attempt_count + 1,
          next_attempt_time = now() + ${leaseMs} * interval '1 millisecond'
        from due where d.id = due.id
        returning d.id, d.webhook_endpoint_id, d.body, d.attempt_count, d.fence
      )
      select c.id, c.webhook_endpoint_id as "endpointId", e.url, c.body, c.attempt_count as "attemptCount", c.fence,
        e.secret, case when e.previous_secret_until > now() then e.previous_secret end as "previousSecret"
      from claimed c join webhook_endpoints e on e.id = c.webhook_endpoint_id`),
  ];
}

export interface DeliveryOutcome {
  readonly state: DeliveryRow['state'];
  readonly statusCode: number;
  readonly error: string;
  /** Null unless it is tried again. */
  readonly retryInMs: number | null;
}

/** False when somebody else has taken it in the meantime, or it is gone. */
export async function writeDeliveryOutcome(
  tx: Queryable,
  delivery: Pick<ClaimedDelivery, 'id' | 'fence'>,
  outcome: DeliveryOutcome,
): Promise<boolean> {
  const rows = await tx.sql`
    update webhook_deliveries set state = ${outcome.state}, last_status_code = ${outcome.statusCode},
      last_error = ${outcome.error},
      next_attempt_time = case when ${outcome.state} = 'pending'
        then now() + ${outcome.retryInMs ?? 0} * interval '1 millisecond' end
    where id = ${delivery.id} and fence = ${delivery.fence}
    returning 1`;
  return rows.length === 1;
}

/** What an endpoint that is off will never get. */
export async function failPendingDeliveries(tx: Queryable, endpointId: string, error: string): Promise<void> {
  await tx.orm
    .update(webhookDeliveries)
    .set({ state: 'failed', nextAttemptTime: null, lastError: error })
    .where(and(eq(webhookDeliveries.webhookEndpointId, endpointId), eq(webhookDeliveries.state, 'pending')));
}

export async function countPendingDeliveries(source: Queryable): Promise<number> {
  return await source.orm.$count(webhookDeliveries, eq(webhookDeliveries.state, 'pending'));
}

/** Deliveries are a log for the merchant, not a record of truth. */
const deliveriesKeptFor = '30 days';

export async function deleteOldDeliveries(source: Queryable, rowsMax: number): Promise<number> {
  const rows = await source.sql`
    delete from webhook_deliveries where id in (
      select id from webhook_deliveries
      where state <> 'pending' and create_time < now() - ${deliveriesKeptFor}::interval
      order by create_time limit ${rowsMax})
    returning 1`;
  return rows.length;
}
