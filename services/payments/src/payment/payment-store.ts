import type { Queryable } from '@strongroom/platform/database';
import type { ActorKind, Payment, PaymentStatus, PaymentType } from './payment.ts';

export interface PaymentChange {
  readonly fromStatus: PaymentStatus | null;
  readonly toStatus: PaymentStatus;
  readonly actorId: string | null;
  readonly actorKind: string;
  readonly reason: string;
  readonly changedFields: readonly string[];
  readonly changeTime: string;
  readonly version: bigint;
}

/** Who changes a payment, in what capacity, and why: the trigger writes it to the history. */
export interface ChangeFacts {
  readonly actorId: string | null;
  readonly actorKind: ActorKind;
  readonly reason: string;
}

/** The columns of a payment under the names of its type. */
export function paymentColumns(source: Pick<Queryable, 'sql'>) {
  return source.sql`
    p.id, p.type, p.status, p.currency_code as "currencyCode", p.minor_units as "minorUnits",
    p.refunded_minor_units as "refundedMinorUnits", p.reserved_minor_units as "reservedMinorUnits",
    p.sender_id as "senderId", p.recipient_id as "recipientId", p.description, p.metadata::text as metadata,
    p.payment_method_id as "paymentMethodId", p.scheduled_time as "scheduledTime",
    p.next_run_time as "nextRunTime", p.recurrence,
    p.time_zone as "timeZone", p.parent_payment_id as "parentPaymentId", p.psp_transaction_id as "pspTransactionId",
    p.failure_code as "failureCode", p.failure_reason as "failureReason", p.create_time as "createTime",
    p.update_time as "updateTime", p.complete_time as "completeTime", p.version`;
}

export type PaymentRow = Omit<Payment, 'metadata'> & { readonly metadata: string };

export function rowToPayment(row: PaymentRow): Payment {
  return { ...row, metadata: JSON.parse(row.metadata) as Record<string, string> };
}

/** As it is now, for a look: who is to change it takes `lockPayment`. */
export async function findPayment(source: Queryable, id: string): Promise<Payment | undefined> {
  const [row] = await source.sql<PaymentRow[]>`select ${paymentColumns(source)} from payments p where p.id = ${id}`;
  return row === undefined ? undefined : rowToPayment(row);
}

/** Every change of a payment begins here: one at a time, in the order of this lock (fault 24). */
export async function lockPayment(tx: Queryable, id: string): Promise<Payment | undefined> {
  const [row] = await tx.sql<PaymentRow[]>`
    select ${paymentColumns(tx)} from payments p where p.id = ${id} for update`;
  return row === undefined ? undefined : rowToPayment(row);
}

export interface NewPayment {
  readonly id: string;
  readonly type: PaymentType;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
  readonly senderId: string;
  readonly recipientId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly paymentMethodId: string | null;
  readonly scheduledTime: string | null;
  readonly recurrence: string | null;
  readonly timeZone: string | null;
  readonly nextRunTime: string | null;
  readonly parentPaymentId: string | null;
  readonly occurrenceTime: string | null;
  readonly createTime: string;
}

/** The payment that the row will be, known before it is written. */
export function newPaymentToPayment({ occurrenceTime: _, ...payment }: NewPayment): Payment {
  return {
    ...payment,
    status: 'pending',
    refundedMinorUnits: 0n,
    reservedMinorUnits: 0n,
    pspTransactionId: null,
    failureCode: null,
    failureReason: null,
    updateTime: payment.createTime,
    completeTime: null,
    version: 1n,
  };
}

/** A child of a rule. False when this occurrence has its payment already. */
export async function insertOccurrence(tx: Queryable, payment: NewPayment, facts: ChangeFacts): Promise<boolean> {
  const rows = await tx.sql`
    insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description, metadata,
      payment_method_id, scheduled_time, parent_payment_id, occurrence_time, time_zone, create_time, update_time,
      change_actor_id, change_actor_kind, change_reason)
    values (${payment.id}, ${payment.type}, 'pending', ${payment.currencyCode}, ${payment.minorUnits},
      ${payment.senderId}, ${payment.recipientId}, ${payment.description},
      ${JSON.stringify(payment.metadata)}::text::jsonb, ${payment.paymentMethodId}, ${payment.scheduledTime},
      ${payment.parentPaymentId}, ${payment.occurrenceTime}, ${payment.timeZone}, ${payment.createTime},
      ${payment.createTime}, ${facts.actorId}, ${facts.actorKind}, ${facts.reason})
    on conflict (parent_payment_id, occurrence_time) where parent_payment_id is not null do nothing
    returning id`;
  return rows.length === 1;
}

/** What a change of state sets beside the state. */
export interface StatusChange {
  readonly status: PaymentStatus;
  readonly pspTransactionId?: string | null | undefined;
  readonly failureCode?: string | null | undefined;
  readonly failureReason?: string | null | undefined;
  readonly completed?: boolean | undefined;
}

/** The row must be locked. Answers with the payment as it then is. */
export async function changeStatus(
  tx: Queryable,
  payment: Payment,
  change: StatusChange,
  facts: ChangeFacts,
): Promise<Payment> {
  const [row] = await tx.sql<PaymentRow[]>`
    update payments p set
      status = ${change.status},
      psp_transaction_id = coalesce(${change.pspTransactionId ?? null}, p.psp_transaction_id),
      failure_code = coalesce(${change.failureCode ?? null}, p.failure_code),
      failure_reason = coalesce(${change.failureReason ?? null}, p.failure_reason),
      complete_time = case when ${change.completed ?? false} then greatest(p.create_time, statement_timestamp())
        else p.complete_time end,
      next_run_time = case when ${change.status} = 'pending' then p.next_run_time end,
      update_time = greatest(p.update_time, statement_timestamp()), version = p.version + 1, change_actor_id = ${facts.actorId},
      change_actor_kind = ${facts.actorKind}, change_reason = ${facts.reason}
    where p.id = ${payment.id} and p.version = ${payment.version}
    returning ${paymentColumns(tx)}`;
  if (row === undefined) throw new Error(`payment ${payment.id} changed under its lock`);
  return rowToPayment(row);
}

export interface PaymentEdit {
  readonly minorUnits: bigint;
  readonly recipientId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly scheduledTime: string | null;
  readonly nextRunTime: string | null;
}

/** The row must be locked and differ from the edit: the database knows no version without a change. */
export async function editPayment(
  tx: Queryable,
  payment: Payment,
  edit: PaymentEdit,
  facts: ChangeFacts,
): Promise<Payment> {
  const [row] = await tx.sql<PaymentRow[]>`
    update payments p set
      minor_units = ${edit.minorUnits}, recipient_id = ${edit.recipientId}, description = ${edit.description},
      metadata = ${JSON.stringify(edit.metadata)}::text::jsonb, scheduled_time = ${edit.scheduledTime},
      next_run_time = ${edit.nextRunTime}, update_time = greatest(p.update_time, statement_timestamp()), version = p.version + 1,
      change_actor_id = ${facts.actorId}, change_actor_kind = ${facts.actorKind}, change_reason = ${facts.reason}
    where p.id = ${payment.id} and p.version = ${payment.version}
    returning ${paymentColumns(tx)}`;
  if (row === undefined) throw new Error(`payment ${payment.id} changed under its lock`);
  return rowToPayment(row);
}

/** Bounded by the life of a payment: a rule's payment changes a few times a year, all others a handful of times. */
const changesMax = 200;

/** The latest, oldest first. */
export async function listChanges(source: Queryable, paymentId: string): Promise<PaymentChange[]> {
  const rows = await source.sql<PaymentChange[]>`
    select from_status as "fromStatus", to_status as "toStatus", actor_id as "actorId", actor_kind as "actorKind",
      reason, changed_fields as "changedFields", change_time as "changeTime", version
    from payment_changes where payment_id = ${paymentId} order by version desc limit ${changesMax}`;
  return [...rows].reverse();
}
