import type { Queryable } from '@strongroom/platform/database';
import type { PageBounds, PagePosition } from '@strongroom/platform/paging';
import type { Payment, PaymentStatus, PaymentType } from './payment.ts';
import { paymentColumns, rowToPayment } from './payment-store.ts';

/** The columns that lists can be ordered by, each with the type of its value in a page token. */
const orderings = {
  create_time: { column: 'create_time', type: 'timestamptz' },
  amount: { column: 'minor_units', type: 'bigint' },
  status: { column: 'status', type: 'text' },
} as const;

export interface PaymentOrder {
  readonly by: keyof typeof orderings;
  readonly isDescending: boolean;
}

/** Newest first unless said otherwise. The pattern of the field lets nothing else through. */
export function parseOrder(orderBy: string): PaymentOrder {
  if (orderBy === '') return { by: 'create_time', isDescending: true };
  const [by = 'create_time', direction] = orderBy.replace('createTime', 'create_time').split(' ');
  return { by: by as PaymentOrder['by'], isDescending: direction === 'desc' };
}

export interface PaymentFilter {
  /** Sender or recipient; undefined: everyone's. */
  readonly userId: string | undefined;
  readonly status: PaymentStatus | undefined;
  readonly type: PaymentType | undefined;
  readonly startTime: string | undefined;
  readonly endTime: string | undefined;
}

export interface PaymentPage extends PageBounds {
  readonly order: PaymentOrder;
}

/** By key, not by offset, with the id as second key: pages neither repeat nor miss rows (fault 28). */
export async function listPaymentRows(source: Queryable, filter: PaymentFilter, page: PaymentPage): Promise<Payment[]> {
  const { sql } = source;
  const { column, type } = orderings[page.order.by];
  const key = sql(column);
  const direction = page.order.isDescending ? sql`desc` : sql`asc`;
  const [value, id] = page.after ?? [];
  const beyond =
    value === undefined || id === undefined
      ? sql``
      : sql`and (p.${key}, p.id) ${page.order.isDescending ? sql`<` : sql`>`}
          (${value}::text::${sql.unsafe(type)}, ${id}::uuid)`;
  const restrictions = sql`
    ${filter.status === undefined ? sql`` : sql`and p.status = ${filter.status}`}
    ${filter.type === undefined ? sql`` : sql`and p.type = ${filter.type}`}
    ${filter.startTime === undefined ? sql`` : sql`and p.create_time >= ${filter.startTime}`}
    ${filter.endTime === undefined ? sql`` : sql`and p.create_time < ${filter.endTime}`}
    ${beyond}`;
  const ordered = sql`order by p.${key} ${direction}, p.id ${direction} limit ${page.rowsMax}`;
  const columns = paymentColumns(source);
  const part = (party: ReturnType<typeof sql>) =>
    sql`(select p.* from payments p where ${party} ${restrictions} ${ordered})`;
  // Two index scans that each stop at the page's end; one condition with OR would read all of a person's payments.
  const rows =
    filter.userId === undefined
      ? await sql<RowOf[]>`select ${columns} from payments p where true ${restrictions} ${ordered}`
      : await sql<RowOf[]>`
          select ${columns} from (
            ${part(sql`p.sender_id = ${filter.userId}`)} union all ${part(sql`p.recipient_id = ${filter.userId}`)}
          ) p ${ordered}`;
  return rows.map(rowToPayment);
}

type RowOf = Parameters<typeof rowToPayment>[0];

/** The position of a row in an order, for the page token. */
export function positionOf(payment: Payment, order: PaymentOrder): PagePosition {
  const value = { create_time: payment.createTime, amount: String(payment.minorUnits), status: payment.status }[
    order.by
  ];
  return [value, payment.id];
}
