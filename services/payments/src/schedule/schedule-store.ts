import type { Queryable } from '@strongroom/platform/database';
import type { Payment } from '../payment/payment.ts';
import { paymentColumns, rowToPayment } from '../payment/payment-store.ts';

/** The next due payment that no other instance works on; locked until the transaction ends. */
export async function lockDuePayment(tx: Queryable): Promise<Payment | undefined> {
  const [row] = await tx.sql<Parameters<typeof rowToPayment>[0][]>`
    select ${paymentColumns(tx)} from payments p
    where p.next_run_time <= now() and p.status = 'pending'
    order by p.next_run_time limit 1 for update skip locked`;
  return row === undefined ? undefined : rowToPayment(row);
}

export async function setNextRun(tx: Queryable, paymentId: string, nextRunTime: string | null): Promise<void> {
  await tx.sql`update payments set next_run_time = ${nextRunTime} where id = ${paymentId}`;
}

export async function countDue(source: Queryable): Promise<number> {
  const [row] = await source.sql<{ count: number }[]>`
    select count(*)::int as count from payments where next_run_time <= now()`;
  return row?.count ?? 0;
}
