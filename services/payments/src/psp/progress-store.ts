import { actSettings, type Queryable, rowActSettings, serviceAct } from '@strongroom/platform/database';
import type { Payment, PaymentStatus } from '../payment/payment.ts';
import { type ChangeFacts, type PaymentRow, paymentColumns, rowToPayment } from '../payment/payment-store.ts';
import type { PspTask } from './psp-task-store.ts';

/** A step of a charge that is no end: it is handed to the provider, or the provider has it. */
export interface ChargeProgress {
  /** The claim under which it happens: nothing is written for one that was taken over (F34). */
  readonly task: PspTask;
  /** As the payment was seen; a version of undefined takes it as it is. */
  readonly from: { readonly status: PaymentStatus; readonly version?: bigint };
  /** The provider's id of the charge, once it has one. */
  readonly transactionId: string | null;
  readonly facts: ChangeFacts;
  /** When the task is due again; null leaves it the length of its claim. */
  readonly nextDelayMs: number | null;
}

const workerAct = serviceAct('payments');

/**
 * Payments that are with the provider from now on, in one prepared statement, whether it is one or fifty. Answers each as
 * it then is, and undefined for one that has changed, is in somebody's hands or whose claim is gone: who must know why
 * takes the payment's lock. Nothing here waits for a payment.
 */
export async function writeProgress(
  { sql }: Queryable,
  steps: readonly ChargeProgress[],
): Promise<readonly (Payment | undefined)[]> {
  const acts = Object.fromEntries(steps.map(({ task }) => [task.paymentId, workerAct]));
  const rows = await sql<(PaymentRow & { position: number })[]>`
    with acts as materialized (
      select ${rowActSettings(sql, 'payments', acts)}, ${actSettings(sql, workerAct)}
    ),
    given as materialized (
      select r.* from acts, json_to_recordset(${JSON.stringify(steps.map(stepToRow))}::text::json) as r (
        position integer, id uuid, fence bigint, status text, version bigint, psp_transaction_id text, actor_id uuid,
        actor_kind text, reason text, delay_ms double precision)
    ),
    held as materialized (
      select g.* from given g
        join payments p on p.id = g.id and p.status = g.status and p.version = coalesce(g.version, p.version)
        join psp_tasks t on t.id = g.id and t.fence = g.fence
      for update of p, t skip locked
    ),
    task as (
      update psp_tasks t set next_attempt_time = now() + h.delay_ms * interval '1 millisecond'
      from held h where t.id = h.id and h.delay_ms is not null
    )
    update payments p set status = 'processing', psp_transaction_id = coalesce(h.psp_transaction_id, p.psp_transaction_id),
      next_run_time = null, update_time = greatest(p.update_time, statement_timestamp()), version = p.version + 1,
      change_actor_id = h.actor_id, change_actor_kind = h.actor_kind, change_reason = h.reason
    from held h where p.id = h.id
    returning h.position, ${paymentColumns({ sql })}`;
  const written = new Map(rows.map(({ position, ...row }) => [position, rowToPayment(row)]));
  return steps.map((_, position) => written.get(position));
}

function stepToRow({ task, from, transactionId, facts, nextDelayMs }: ChargeProgress, position: number) {
  return {
    position,
    id: task.paymentId,
    fence: String(task.fence),
    status: from.status,
    version: from.version === undefined ? null : String(from.version),
    psp_transaction_id: transactionId,
    actor_id: facts.actorId,
    actor_kind: facts.actorKind,
    reason: facts.reason,
    delay_ms: nextDelayMs,
  };
}
