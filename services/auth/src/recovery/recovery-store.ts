import { type Executor, firstRow } from '../store.ts';

export type RecoveryState = 'REQUESTED' | 'APPROVED' | 'COMPLETED' | 'CANCELLED';

export interface RecoveryRow {
  readonly id: string;
  readonly userId: string;
  readonly state: RecoveryState;
  readonly createTime: string;
  readonly effectiveTime: string | null;
}

const columns = `
  id, user_id as "userId", state, create_time::text as "createTime", effective_time::text as "effectiveTime"`;

/** The open one of the user, made if there is none: asking twice is asking once. */
export async function openRecovery(
  { sql }: Executor,
  recovery: { readonly id: string; readonly userId: string; readonly lifeS: number },
): Promise<{ readonly row: RecoveryRow; readonly isNew: boolean }> {
  await sql`
    update mfa_recoveries set state = 'CANCELLED', end_time = clock_timestamp()
    where user_id = ${recovery.userId} and state = 'REQUESTED' and expire_time < clock_timestamp()`;
  const made = firstRow<RecoveryRow>(
    await sql`
    insert into mfa_recoveries (id, user_id, state, expire_time)
    values (${recovery.id}, ${recovery.userId}, 'REQUESTED',
      clock_timestamp() + ${recovery.lifeS}::int * interval '1 second')
    on conflict (user_id) where state in ('REQUESTED', 'APPROVED') do nothing
    returning ${sql.unsafe(columns)}`,
  );
  if (made !== undefined) return { row: made, isNew: true };
  const row = firstRow<RecoveryRow>(
    await sql`
    select ${sql.unsafe(columns)} from mfa_recoveries
    where user_id = ${recovery.userId} and state in ('REQUESTED', 'APPROVED')`,
  );
  if (row === undefined) throw new Error('an open recovery went while its user was held');
  return { row, isNew: false };
}

/** Approves a request that is alive, by anyone but its owner: two people, always (ASVS V6.4.4). */
export async function approveRecovery(
  { sql }: Executor,
  approval: { readonly id: string; readonly approverId: string; readonly reason: string; readonly delayS: number },
): Promise<RecoveryRow | undefined> {
  return firstRow(
    await sql`
    update mfa_recoveries set state = 'APPROVED', approve_time = clock_timestamp(), approver_id = ${approval.approverId},
      approve_reason = ${approval.reason},
      effective_time = clock_timestamp() + ${approval.delayS}::int * interval '1 second'
    where id = ${approval.id} and state = 'REQUESTED' and expire_time > clock_timestamp()
      and user_id <> ${approval.approverId}
    returning ${sql.unsafe(columns)}`,
  );
}

export async function cancelRecovery({ sql }: Executor, id: string, userId: string): Promise<RecoveryRow | undefined> {
  return firstRow(
    await sql`
    update mfa_recoveries set state = 'CANCELLED', end_time = clock_timestamp()
    where id = ${id} and user_id = ${userId} and state in ('REQUESTED', 'APPROVED')
    returning ${sql.unsafe(columns)}`,
  );
}

/** Takes one that is due, so that of several instances one completes it. */
export async function takeDueRecovery({ sql }: Executor): Promise<RecoveryRow | undefined> {
  return firstRow(
    await sql`
    update mfa_recoveries set state = 'COMPLETED', end_time = clock_timestamp()
    where id = (
      select id from mfa_recoveries where state = 'APPROVED' and effective_time <= clock_timestamp()
      order by effective_time limit 1 for update skip locked)
    returning ${sql.unsafe(columns)}`,
  );
}
