import { type Executor, firstRow } from '../store.ts';
import type { LockoutState } from './lockout.ts';

export type LockoutKind = 'email' | 'device' | 'otp' | 'password';

interface LockoutRow {
  readonly attemptTimesMs: number[] | null;
  readonly ipAddresses: string[];
  readonly retryTimeMs: number | null;
  readonly lockTimeMs: number | null;
  readonly unlockTimeMs: number | null;
  readonly nowMs: number;
}

export interface KnownState {
  readonly state: LockoutState;
  /** The database's clock: a service whose own is wrong neither shortens nor prolongs a lock (F15). */
  readonly nowMs: number;
}

const millis = (expression: string) => `(extract(epoch from ${expression}) * 1000)::float8`;
const columns = `
  (select array_agg(${millis('t')} order by t) from unnest(attempt_times) as a (t)) as "attemptTimesMs",
  ip_addresses as "ipAddresses", ${millis('retry_time')} as "retryTimeMs", ${millis('lock_time')} as "lockTimeMs",
  ${millis('unlock_time')} as "unlockTimeMs", ${millis('clock_timestamp()')} as "nowMs"`;

/** Takes the row, made if need be, so that attempts at one key are judged one by one. */
export async function lockLockout({ sql }: Executor, key: Buffer, kind: LockoutKind): Promise<KnownState> {
  await sql`insert into lockouts (key, kind) values (${key}, ${kind}) on conflict (key) do nothing`;
  await sql`select 1 from lockouts where key = ${key} for update`;
  const row = firstRow<LockoutRow>(await sql`select ${sql.unsafe(columns)} from lockouts where key = ${key}`);
  if (row === undefined) throw new Error('a lockout row went while it was held');
  return stateOf(row);
}

export async function readLockout({ sql }: Executor, key: Buffer): Promise<KnownState | undefined> {
  const row = firstRow<LockoutRow>(await sql`select ${sql.unsafe(columns)} from lockouts where key = ${key}`);
  return row === undefined ? undefined : stateOf(row);
}

export async function writeLockout({ sql }: Executor, key: Buffer, state: LockoutState): Promise<void> {
  const time = (ms: number | undefined) => (ms === undefined ? null : ms / 1000);
  await sql`
    update lockouts set
      attempt_times = array(select to_timestamp(t) from unnest(${state.attemptTimesMs.map((ms) => ms / 1000)}::float8[]) as a (t)),
      ip_addresses = ${[...state.ipAddresses]}, retry_time = to_timestamp(${time(state.retryTimeMs)}::float8),
      lock_time = to_timestamp(${time(state.lockTimeMs)}::float8),
      unlock_time = to_timestamp(${time(state.unlockTimeMs)}::float8), update_time = clock_timestamp()
    where key = ${key}`;
}

export async function setMirrorStale({ sql }: Executor, key: Buffer, isStale: boolean): Promise<void> {
  await sql`update lockouts set mirror_stale = ${isStale} where key = ${key}`;
}

export async function listStaleMirrors({ sql }: Executor, limit: number): Promise<Buffer[]> {
  const rows = await sql`select key from lockouts where mirror_stale limit ${limit}`;
  return rows.map((row) => row['key'] as Buffer);
}

export async function deleteOldLockouts({ sql }: Executor): Promise<void> {
  await sql`
    delete from lockouts where update_time < clock_timestamp() - interval '2 days'
      and (unlock_time is null or unlock_time < clock_timestamp())`;
}

function stateOf(row: LockoutRow): KnownState {
  return {
    nowMs: row.nowMs,
    state: {
      attemptTimesMs: row.attemptTimesMs ?? [],
      ipAddresses: row.ipAddresses,
      retryTimeMs: row.retryTimeMs ?? undefined,
      lockTimeMs: row.lockTimeMs ?? undefined,
      unlockTimeMs: row.unlockTimeMs ?? undefined,
    },
  };
}
