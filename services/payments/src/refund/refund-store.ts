import type { Queryable } from '@strongroom/platform/database';
import { type Payment, statusAfterRefund } from '../payment/payment.ts';
import type { ChangeFacts } from '../payment/payment-store.ts';
import type { Refund } from './refund.ts';

function refundColumns({ sql }: Queryable) {
  return sql`
    r.id, r.payment_id as "paymentId", p.currency_code as "currencyCode", r.minor_units as "minorUnits", r.status,
    r.reason, r.actor_id as "actorId", r.psp_transaction_id as "pspTransactionId", r.create_time as "createTime",
    r.complete_time as "completeTime"`;
}

/** The payment's row must be locked: the sum of what is reserved is decided under it. */
export async function insertRefund(tx: Queryable, refund: Refund): Promise<void> {
  await tx.sql`
    insert into refunds (id, payment_id, minor_units, status, reason, actor_id, create_time)
    values (${refund.id}, ${refund.paymentId}, ${refund.minorUnits}, ${refund.status}, ${refund.reason},
      ${refund.actorId}, ${refund.createTime})`;
  await tx.sql`
    update payments set reserved_minor_units = reserved_minor_units + ${refund.minorUnits}
    where id = ${refund.paymentId}`;
}

export async function findRefund(source: Queryable, id: string): Promise<Refund | undefined> {
  const [row] = await source.sql<Refund[]>`
    select ${refundColumns(source)} from refunds r join payments p on p.id = r.payment_id where r.id = ${id}`;
  return row;
}

export async function listRefundRows(
  source: Queryable,
  paymentId: string,
  after: readonly string[] | undefined,
  rowsMax: number,
): Promise<Refund[]> {
  const { sql } = source;
  const [time, id] = after ?? [];
  return [
    ...(await sql<Refund[]>`
      select ${refundColumns(source)} from refunds r join payments p on p.id = r.payment_id
      where r.payment_id = ${paymentId}
        ${time === undefined || id === undefined ? sql`` : sql`and (r.create_time, r.id) > (${time}, ${id})`}
      order by r.create_time, r.id limit ${rowsMax}`),
  ];
}

/** Both the refund and what the payment says about it. The payment's row must be locked. */
export async function completeRefund(
  tx: Queryable,
  payment: Payment,
  refund: Refund,
  transactionId: string,
  facts: ChangeFacts,
): Promise<void> {
  await tx.sql`
    update refunds set status = 'completed', psp_transaction_id = ${transactionId}, complete_time = clock_timestamp()
    where id = ${refund.id} and status = 'processing'`;
  await tx.sql`
    update payments set
      status = ${statusAfterRefund(payment, refund.minorUnits)},
      refunded_minor_units = refunded_minor_units + ${refund.minorUnits},
      reserved_minor_units = reserved_minor_units - ${refund.minorUnits},
      update_time = clock_timestamp(), version = version + 1, change_actor_id = ${facts.actorId},
      change_actor_kind = ${facts.actorKind}, change_reason = ${facts.reason}
    where id = ${payment.id} and version = ${payment.version}`;
}

export async function failRefund(
  tx: Queryable,
  refund: Refund,
  failureCode: string,
  transactionId: string | null,
): Promise<void> {
  await tx.sql`
    update refunds set status = 'failed', failure_code = ${failureCode}, psp_transaction_id = ${transactionId}
    where id = ${refund.id} and status = 'processing'`;
  await tx.sql`
    update payments set reserved_minor_units = reserved_minor_units - ${refund.minorUnits}
    where id = ${refund.paymentId}`;
}
