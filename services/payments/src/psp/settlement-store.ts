import { uuidv7 } from '@strongroom/platform/crypto';
import { actSettings, type Queryable, rowActSettings, serviceAct } from '@strongroom/platform/database';
import { postingCtes, postingToRow } from '../ledger/ledger-store.ts';
import { eventToRow } from '../work/row-text.ts';
import type { Settlement } from './settlement.ts';

/** Of what a statement writes for several settlements, and for none of them alone. */
const sharedAct = serviceAct('payments');

/**
 * Payments with their refunds, postings, tasks that are done and events, in one prepared statement, whether it is one
 * payment or fifty. Answers whether each was written. One isn't where its payment has changed since it was seen or is in
 * somebody's hands, where its claim or message is used up, or where it is the second of a payment: who must know why takes
 * the payment's lock. Nothing here waits for a payment, so one that is held keeps up nobody else's.
 */
export async function writeSettlements(
  { sql }: Queryable,
  settlements: readonly Settlement[],
): Promise<readonly boolean[]> {
  const acts = Object.fromEntries(settlements.map(({ act, payment }) => [payment.id, act]));
  // Most batches have no refund, and its steps and triggers cost as much without rows.
  const hasRefund = settlements.some(({ refund }) => refund !== undefined);
  const act = settlements.length === 1 ? (settlements[0]?.act ?? sharedAct) : sharedAct;
  const rows = await sql<{ position: number }[]>`
    with acts as materialized (
      select ${rowActSettings(sql, 'payments', acts)}, ${actSettings(sql, act)}
    ),
    given as materialized (
      select distinct on (payment_id) r.*
      from acts, json_to_recordset(${JSON.stringify(settlements.map(settlementToRow))}::text::json) as r (
        position integer, payment_id uuid, version bigint, refund_id uuid, refund_minor_units bigint, status text,
        psp_transaction_id text, failure_code text, failure_reason text, actor_id uuid, actor_kind text, reason text,
        task_id uuid, fence bigint, message_id text, message_type text, ledger_id uuid, ledger_kind text,
        currency_code text, postings json, event_id uuid, event_name text, event_payload bytea, traceparent text)
      order by payment_id, position
    ),
    ${settledCtes(sql, hasRefund)},
    payment as (
      update payments p set status = s.status,
        refunded_minor_units = p.refunded_minor_units + s.refund_minor_units,
        reserved_minor_units = p.reserved_minor_units - s.refund_minor_units,
        psp_transaction_id = case when s.refund_id is null then coalesce(s.psp_transaction_id, p.psp_transaction_id)
          else p.psp_transaction_id end,
        failure_code = s.failure_code, failure_reason = s.failure_reason,
        complete_time = case when s.ledger_kind = 'capture' then greatest(p.create_time, statement_timestamp())
          else p.complete_time end,
        next_run_time = null, update_time = greatest(p.update_time, statement_timestamp()), version = p.version + 1,
        change_actor_id = s.actor_id, change_actor_kind = s.actor_kind, change_reason = s.reason
      from settled s where p.id = s.payment_id
    ),
    ${hasRefund ? refundedCte(sql) : sql``}
    ${postingCtes(sql, 'settled')},
    event as (
      insert into strongroom.outbox (event_id, kind, name, payload, traceparent)
      select event_id, 'event', event_name, event_payload, traceparent from settled
    )
    select position from settled`;
  const written = new Set(rows.map(({ position }) => position));
  return settlements.map((_, position) => written.has(position));
}

/** In a transaction that holds the payment's lock, on what was read under it. */
export async function writeLocked(tx: Queryable, settlement: Settlement): Promise<void> {
  const [isWritten] = await writeSettlements(tx, [settlement]);
  if (isWritten !== true) throw new Error(`payment ${settlement.payment.id} changed under its lock`);
}

/**
 * What of the given is written: where the row has the version that was seen, under its lock, and then where the message
 * is new and the claim stands. Each step selects from the one before, so what fails one has no effect. The rows of
 * writing steps are copied before they are joined to what is updated: PostgreSQL can't look at such a step again when the
 * row to update has a newer version.
 */
function settledCtes(sql: Queryable['sql'], hasRefund: boolean) {
  return sql`
    charge as materialized (
      select g.* from given g join payments p on p.id = g.payment_id and p.version = g.version
      where g.refund_id is null
      for update of p skip locked
    ),
    ${hasRefund ? refundCte(sql) : sql``}
    held as (select * from charge ${hasRefund ? sql`union all select * from refund` : sql``}),
    message as (
      insert into psp_webhook_events (event_id, type, reference, applied, note)
      select message_id, message_type, task_id, true, 'applied' from held where message_id is not null
      on conflict do nothing
      returning event_id
    ),
    told as materialized (
      select * from held where message_id is null or message_id in (select event_id from message)
    ),
    task as (
      delete from psp_tasks t using told where t.id = told.task_id and t.fence = coalesce(told.fence, t.fence)
      returning t.id
    ),
    settled as materialized (select * from told where fence is null or task_id in (select id from task))`;
}

function refundCte(sql: Queryable['sql']) {
  return sql`
    refund as materialized (
      select g.* from given g join payments p on p.id = g.payment_id and p.version = g.version
        join refunds r on r.id = g.refund_id and r.status = 'processing'
      for update of p, r skip locked
    ),`;
}

function refundedCte(sql: Queryable['sql']) {
  return sql`
    refunded as (
      update refunds r set status = 'completed', psp_transaction_id = s.psp_transaction_id,
        complete_time = greatest(r.create_time, statement_timestamp())
      from settled s where r.id = s.refund_id
    ),`;
}

function settlementToRow(settlement: Settlement, position: number) {
  const { payment, refund, facts, task, message } = settlement;
  return {
    position,
    payment_id: payment.id,
    version: String(payment.version),
    refund_id: refund?.id,
    refund_minor_units: String(refund?.minorUnits ?? 0n),
    status: settlement.status,
    psp_transaction_id: settlement.transactionId,
    failure_code: settlement.failureCode,
    failure_reason: settlement.failureReason,
    actor_id: facts.actorId,
    actor_kind: facts.actorKind,
    reason: facts.reason,
    task_id: refund?.id ?? payment.id,
    fence: task === undefined ? null : String(task.fence),
    message_id: message?.eventId,
    message_type: message?.type,
    ledger_id: uuidv7(),
    ledger_kind: settlement.ledgerKind,
    currency_code: payment.currencyCode,
    postings: settlement.postings.map(postingToRow),
    ...eventToRow(settlement.event),
  };
}
