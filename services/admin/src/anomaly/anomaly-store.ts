import type { Queryable } from '@strongroom/platform/database';
import type { AnomalyKindName, Baseline } from './anomaly-rules.ts';

export type AnomalyStateName = 'OPEN' | 'CONFIRMED' | 'DISMISSED';
export type AnomalyAction = 'observe' | 'step_up' | 'block';

export interface StoredAnomaly {
  readonly id: string;
  readonly kind: AnomalyKindName;
  readonly state: AnomalyStateName;
  readonly userId: string;
  readonly eventId: string;
  readonly score: number;
  readonly reasons: readonly string[];
  readonly action: AnomalyAction;
  readonly createTime: string;
  readonly resolverId: string;
  readonly resolution: string;
  readonly resolveTime: string | null;
}

export type NewAnomaly = Pick<StoredAnomaly, 'id' | 'kind' | 'userId' | 'eventId' | 'score' | 'reasons' | 'action'>;

/** The position to go on from, locked: one process judges at a time. Undefined while another one does. */
export async function lockCursor({ sql }: Queryable): Promise<number | undefined> {
  const [row] = await sql`select next_sequence::text as next from anomaly_cursor for update skip locked`;
  return row && Number(row['next']);
}

export async function moveCursor({ sql }: Queryable, nextSequence: number): Promise<void> {
  await sql`update anomaly_cursor set next_sequence = ${String(nextSequence)}`;
}

export async function findBaselines({ sql }: Queryable, userIds: readonly string[]): Promise<Map<string, Baseline>> {
  const rows = await sql`
    select user_id::text, baseline::text from anomaly_baseline where user_id = any(${[...userIds]}::uuid[])`;
  return new Map(rows.map((row) => [String(row['user_id']), JSON.parse(String(row['baseline']))]));
}

export async function storeBaselines({ sql }: Queryable, baselines: ReadonlyMap<string, Baseline>): Promise<void> {
  const entries = [...baselines];
  await sql`
    insert into anomaly_baseline (user_id, baseline)
    select user_id, baseline::jsonb from unnest(
      ${entries.map(([userId]) => userId)}::uuid[], ${entries.map(([, baseline]) => JSON.stringify(baseline))}::text[]
    ) as batch (user_id, baseline)
    on conflict (user_id) do update set baseline = excluded.baseline, update_time = clock_timestamp()`;
}

/** Gives whether it is new: the same event judged twice makes one anomaly of a kind. */
export async function insertAnomaly({ sql }: Queryable, anomaly: NewAnomaly): Promise<boolean> {
  const { count } = await sql`
    insert into anomaly (id, kind, user_id, event_id, score, reasons, action)
    values (${anomaly.id}::uuid, ${anomaly.kind}, ${anomaly.userId || null}::uuid, ${anomaly.eventId}::uuid, ${anomaly.score},
      ${[...anomaly.reasons]}::text[], ${anomaly.action})
    on conflict (event_id, kind) do nothing`;
  return count > 0;
}

export interface AnomalyFilter {
  readonly kind?: AnomalyKindName | undefined;
  readonly state?: AnomalyStateName | undefined;
  readonly userId?: string | undefined;
}

/** Newest first: ids are UUIDv7. */
export async function listStoredAnomalies(
  { sql }: Queryable,
  { kind, state, userId }: AnomalyFilter,
  limit: number,
  before?: string,
): Promise<StoredAnomaly[]> {
  const rows = await sql`
    select ${columns(sql)} from anomaly where true
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${state === undefined ? sql`` : sql`and state = ${state}`}
      ${userId === undefined ? sql`` : sql`and user_id = ${userId}::uuid`}
      ${before === undefined ? sql`` : sql`and id < ${before}::uuid`}
    order by anomaly.id desc limit ${limit}`;
  return rows.map(rowToAnomaly);
}

export async function lockAnomaly({ sql }: Queryable, id: string): Promise<StoredAnomaly | undefined> {
  const [row] = await sql`select ${columns(sql)} from anomaly where id = ${id}::uuid for update`;
  return row && rowToAnomaly(row);
}

export async function resolveStoredAnomaly(
  { sql }: Queryable,
  anomaly: { id: string; state: AnomalyStateName; resolverId: string; resolution: string },
): Promise<StoredAnomaly> {
  const [row] = await sql`
    update anomaly set state = ${anomaly.state}, resolver_id = ${anomaly.resolverId}::uuid,
      resolution = ${anomaly.resolution}, resolve_time = clock_timestamp()
    where id = ${anomaly.id}::uuid returning ${columns(sql)}`;
  return rowToAnomaly(row as Record<string, unknown>);
}

/** What was found and not yet acted on, oldest first. */
export async function listUnenforced({ sql }: Queryable, limit: number): Promise<StoredAnomaly[]> {
  const rows = await sql`
    select ${columns(sql)} from anomaly where enforce_time is null order by anomaly.id limit ${limit}`;
  return rows.map(rowToAnomaly);
}

/** Whether administrators were told of one of the kind since; one that repeats is told once. */
export async function isAlertedSince({ sql }: Queryable, kind: AnomalyKindName, sinceMs: number): Promise<boolean> {
  const [row] = await sql`
    select exists (select from anomaly where kind = ${kind}
      and alert_time > clock_timestamp() - ${sinceMs}::int * interval '1 millisecond') as alerted`;
  return row?.['alerted'] === true;
}

/** Gives whether this did it: of two processes at once only one goes on to tell people. */
export async function markEnforced({ sql }: Queryable, id: string, isAlerted: boolean): Promise<boolean> {
  const { count } = await sql`
    update anomaly set enforce_time = clock_timestamp(),
      alert_time = case when ${isAlerted} then clock_timestamp() end
    where id = ${id}::uuid and enforce_time is null`;
  return count > 0;
}

function columns(sql: Queryable['sql']) {
  return sql`id::text, kind, state, coalesce(user_id::text, '') as user_id, event_id::text, score, reasons, action, create_time,
    coalesce(resolver_id::text, '') as resolver_id, resolution, resolve_time`;
}

function rowToAnomaly(row: Record<string, unknown>): StoredAnomaly {
  return {
    id: String(row['id']),
    kind: String(row['kind']) as AnomalyKindName,
    state: String(row['state']) as AnomalyStateName,
    userId: String(row['user_id']),
    eventId: String(row['event_id']),
    score: Number(row['score']),
    reasons: row['reasons'] as string[],
    action: String(row['action']) as AnomalyAction,
    createTime: String(row['create_time']),
    resolverId: String(row['resolver_id']),
    resolution: String(row['resolution']),
    resolveTime: row['resolve_time'] === null ? null : String(row['resolve_time']),
  };
}
