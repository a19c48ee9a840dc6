import { clockTime, isOneOf, onlyRow, type Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { and, asc, desc, eq, getTableColumns, gt, isNull, lt, sql as orm } from 'drizzle-orm';
import { orEmpty } from '../queries.ts';
import { anomalies, anomalyBaselines, anomalyCursor } from '../schema.ts';
import type { AnomalyKindName, Baseline } from './anomaly-rules.ts';

const { enforceTime, alertTime, ...stored } = getTableColumns(anomalies);
const columns = { ...stored, userId: orEmpty(anomalies.userId), resolverId: orEmpty(anomalies.resolverId) };

type Row = typeof anomalies.$inferSelect;

export type AnomalyStateName = Row['state'];
export type AnomalyAction = Row['action'];

export type StoredAnomaly = Readonly<Omit<Row, 'userId' | 'resolverId' | 'enforceTime' | 'alertTime'>> & {
  /** Empty where nobody is known. */
  readonly userId: string;
  readonly resolverId: string;
};

export type NewAnomaly = Pick<StoredAnomaly, 'id' | 'kind' | 'userId' | 'eventId' | 'score' | 'reasons' | 'action'>;

/** The position to go on from, locked: one process judges at a time. Undefined while another one does. */
export async function lockCursor(db: Queryable): Promise<number | undefined> {
  const [row] = await db.orm
    .select({ next: anomalyCursor.nextSequence })
    .from(anomalyCursor)
    .for('update', { skipLocked: true });
  return row?.next;
}

export async function moveCursor(db: Queryable, nextSequence: number): Promise<void> {
  await db.orm.update(anomalyCursor).set({ nextSequence });
}

export async function findBaselines(db: Queryable, userIds: readonly string[]): Promise<Map<string, Baseline>> {
  const { userId, baseline } = anomalyBaselines;
  const rows = await db.orm.select({ userId, baseline }).from(anomalyBaselines).where(isOneOf(userId, userIds));
  return new Map(rows.map((row) => [row.userId, row.baseline]));
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
export async function insertAnomaly(db: Queryable, anomaly: NewAnomaly): Promise<boolean> {
  const inserted = await db.orm
    .insert(anomalies)
    .values({ ...anomaly, userId: anomaly.userId || null })
    .onConflictDoNothing({ target: [anomalies.eventId, anomalies.kind] })
    .returning({ id: anomalies.id });
  return inserted.length > 0;
}

export interface AnomalyFilter {
  readonly kind?: AnomalyKindName | undefined;
  readonly state?: AnomalyStateName | undefined;
  readonly userId?: string | undefined;
}

/** Newest first: ids are UUIDv7. */
export async function listStoredAnomalies(
  db: Queryable,
  { kind, state, userId }: AnomalyFilter,
  { after, rowsMax }: PageBounds,
): Promise<StoredAnomaly[]> {
  const [last] = after ?? [];
  return await db.orm
    .select(columns)
    .from(anomalies)
    .where(
      and(
        kind === undefined ? undefined : eq(anomalies.kind, kind),
        state === undefined ? undefined : eq(anomalies.state, state),
        userId === undefined ? undefined : eq(anomalies.userId, userId),
        last === undefined ? undefined : lt(anomalies.id, last),
      ),
    )
    .orderBy(desc(anomalies.id))
    .limit(rowsMax);
}

export async function lockAnomaly(db: Queryable, id: string): Promise<StoredAnomaly | undefined> {
  const [row] = await db.orm.select(columns).from(anomalies).where(eq(anomalies.id, id)).for('update');
  return row;
}

export async function resolveStoredAnomaly(
  db: Queryable,
  { id, ...resolved }: Pick<StoredAnomaly, 'id' | 'state' | 'resolverId' | 'resolution'>,
): Promise<StoredAnomaly> {
  return onlyRow(
    await db.orm
      .update(anomalies)
      .set({ ...resolved, resolveTime: clockTime })
      .where(eq(anomalies.id, id))
      .returning(columns),
  );
}

/** What was found and not yet acted on, oldest first. */
export async function listUnenforced(db: Queryable, limit: number): Promise<StoredAnomaly[]> {
  return await db.orm
    .select(columns)
    .from(anomalies)
    .where(isNull(enforceTime))
    .orderBy(asc(anomalies.id))
    .limit(limit);
}

/** Whether administrators were told of one of the kind since; one that repeats is told once. */
export async function isAlertedSince(db: Queryable, kind: AnomalyKindName, sinceMs: number): Promise<boolean> {
  const since = orm<string>`${clockTime} - ${sinceMs}::int * interval '1 millisecond'`;
  const found = await db.orm
    .select({ id: anomalies.id })
    .from(anomalies)
    .where(and(eq(anomalies.kind, kind), gt(alertTime, since)))
    .limit(1);
  return found.length > 0;
}

/** Gives whether this did it: of two processes at once only one goes on to tell people. */
export async function markEnforced(db: Queryable, id: string, isAlerted: boolean): Promise<boolean> {
  const marked = await db.orm
    .update(anomalies)
    .set({ enforceTime: clockTime, alertTime: isAlerted ? clockTime : null })
    .where(and(eq(anomalies.id, id), isNull(enforceTime)))
    .returning({ id: anomalies.id });
  return marked.length > 0;
}
