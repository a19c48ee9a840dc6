import type { Queryable } from '@strongroom/platform/database';
import type { PaymentStatus, PaymentType } from '../payment/payment.ts';

export interface ReportRow {
  readonly currencyCode: string;
  readonly status: PaymentStatus;
  readonly type: PaymentType;
  readonly count: bigint;
  readonly total: bigint;
  readonly refunded: bigint;
}

/** Summed where the rows are (fault 27). A rule moves no money itself, so it is counted by what it made. */
export async function sumPayments(
  source: Queryable,
  userId: string | undefined,
  startTime: string,
  endTime: string,
): Promise<ReportRow[]> {
  const { sql } = source;
  return [
    ...(await sql<ReportRow[]>`
      select currency_code as "currencyCode", status, type, count(*) as count, sum(minor_units)::bigint as total,
        sum(refunded_minor_units)::bigint as refunded
      from payments
      where create_time >= ${startTime} and create_time < ${endTime}
        and not (type = 'recurring' and parent_payment_id is null)
        ${userId === undefined ? sql`` : sql`and (sender_id = ${userId} or recipient_id = ${userId})`}
      group by currency_code, status, type order by currency_code, status, type`),
  ];
}
