import type { Queryable } from '@strongroom/platform/database';

export interface PspTask {
  /** Id of the payment or refund: our reference at the provider. */
  readonly id: string;
  readonly kind: 'charge' | 'refund';
  readonly paymentId: string;
  /** Rises with every claim. Only who holds the latest may write a result. */
  readonly fence: bigint;
  /** 1 at the first claim. */
  readonly attemptCount: number;
}

/** There is work for the provider. Nothing happens where the task is there already. */
export async function insertTask(tx: Queryable, task: Pick<PspTask, 'id' | 'kind' | 'paymentId'>): Promise<void> {
  await tx.sql`
    insert into psp_tasks (id, kind, payment_id) values (${task.id}, ${task.kind}, ${task.paymentId})
    on conflict (id) do nothing`;
}

/** Takes due tasks, each for the length of a lease: until then they are due for nobody else. */
export async function claimTasks(source: Queryable, leaseMs: number, tasksMax: number): Promise<PspTask[]> {
  const rows = await source.sql<PspTask[]>`
    update psp_tasks t set fence = t.fence + 1, attempt_count = t.attempt_count + 1,
      next_attempt_time = now() + ${leaseMs} * interval '1 millisecond'
    from (
      select id from psp_tasks where next_attempt_time <= now()
      order by next_attempt_time limit ${tasksMax} for update skip locked
    ) due
    where t.id = due.id
    returning t.id, t.kind, t.payment_id as "paymentId", t.fence, t.attempt_count as "attemptCount"`;
  return [...rows];
}

/** Takes one task whether it is due or not, also from who has claimed it; for an administrator's question. */
export async function claimTask(source: Queryable, id: string, leaseMs: number): Promise<PspTask | undefined> {
  const [row] = await source.sql<PspTask[]>`
    update psp_tasks set fence = fence + 1, attempt_count = attempt_count + 1,
      next_attempt_time = now() + ${leaseMs} * interval '1 millisecond'
    where id = ${id}
    returning id, kind, payment_id as "paymentId", fence, attempt_count as "attemptCount"`;
  return row;
}

/** Whether the task is still this claim's, and keeps it so until the transaction ends. Lock the payment first. */
export async function holdTask(tx: Queryable, task: PspTask): Promise<boolean> {
  const rows = await tx.sql`select 1 from psp_tasks where id = ${task.id} and fence = ${task.fence} for update`;
  return rows.length === 1;
}

/** Due again after the delay, unless somebody else has claimed it since. */
export async function postponeTask(source: Queryable, task: PspTask, delayMs: number): Promise<void> {
  await source.sql`
    update psp_tasks set next_attempt_time = now() + ${delayMs} * interval '1 millisecond'
    where id = ${task.id} and fence = ${task.fence}`;
}

/** Whoever holds it, there is nothing left to do for it. */
export async function deleteTask(tx: Queryable, id: string): Promise<void> {
  await tx.sql`delete from psp_tasks where id = ${id}`;
}
