import { isPast, type Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { and, asc, eq, getTableColumns } from 'drizzle-orm';
import { payments, refunds } from '../schema.ts';
import type { Refund } from './refund.ts';

const { failureCode: _failureCode, ...stored } = getTableColumns(refunds);
const columns = { ...stored, currencyCode: payments.currencyCode };

/** Reserves its amount. The payment's row must be locked: what is left is decided under it. */
export async function insertRefund(tx: Queryable, refund: Refund): Promise<void> {
  await tx.sql`
    with refund as (
      insert into refunds (id, payment_id, minor_units, status, reason, actor_id, create_time)
      values (${refund.id}, ${refund.paymentId}, ${refund.minorUnits}, ${refund.status}, ${refund.reason},
        ${refund.actorId}, ${refund.createTime})
    )
    update payments set reserved_minor_units = reserved_minor_units + ${refund.minorUnits}
    where id = ${refund.paymentId}`;
}

export async function findRefund(source: Queryable, id: string): Promise<Refund | undefined> {
  const [row] = await source.orm
    .select(columns)
    .from(refunds)
    .innerJoin(payments, eq(payments.id, refunds.paymentId))
    .where(eq(refunds.id, id));
  return row;
}

/** Oldest first. */
export async function listRefundRows(
  source: Queryable,
  paymentId: string,
  { after, rowsMax }: PageBounds,
): Promise<Refund[]> {
  return await source.orm
    .select(columns)
    .from(refunds)
    .innerJoin(payments, eq(payments.id, refunds.paymentId))
    .where(and(eq(refunds.paymentId, paymentId), isPast(after, [refunds.createTime, refunds.id], 'ascending')))
    .orderBy(asc(refunds.createTime), asc(refunds.id))
    .limit(rowsMax);
}

/** Gives the amount back to what can be refunded. The payment's row must be locked. */
export async function failRefund(
  tx: Queryable,
  refund: Refund,
  failureCode: string,
  transactionId: string | null,
): Promise<void> {
  await tx.sql`
    with refund as (
      update refunds set status = 'failed', failure_code = ${failureCode}, psp_transaction_id = ${transactionId}
      where id = ${refund.id} and status = 'processing'
    )
    update payments set reserved_minor_units = reserved_minor_units - ${refund.minorUnits}
    where id = ${refund.paymentId}`;
}
