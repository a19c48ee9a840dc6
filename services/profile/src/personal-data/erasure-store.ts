import type { Queryable } from '@strongroom/platform/database';
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { erasures } from '../schema.ts';
import type { ErasureStep } from './erasure.ts';

export interface StoredErasure {
  readonly id: string;
  readonly userId: string;
  readonly stepsDone: readonly string[];
  readonly completeTime: string | null;
}

/** The erasure of the user: the one that runs already, or the new one. */
export async function beginErasure(db: Queryable, id: string, userId: string): Promise<StoredErasure> {
  await db.orm.insert(erasures).values({ id, userId }).onConflictDoNothing();
  const [row] = await db.orm.select().from(erasures).where(eq(erasures.userId, userId));
  if (row === undefined) throw new Error('an erasure vanished while it began');
  return row;
}

/** Claims the oldest erasures that are not done, so that two instances don't run the same one. */
export async function claimErasures(db: Queryable, countMax: number): Promise<StoredErasure[]> {
  return await db.orm
    .select()
    .from(erasures)
    .where(isNull(erasures.completeTime))
    .orderBy(asc(erasures.createTime))
    .limit(countMax)
    .for('update', { skipLocked: true });
}

export async function markStepDone(db: Queryable, id: string, step: ErasureStep): Promise<void> {
  await db.orm
    .update(erasures)
    .set({ stepsDone: sql`array_append(array_remove(${erasures.stepsDone}, ${step}), ${step})` })
    .where(eq(erasures.id, id));
}

export async function completeErasure(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.orm
    .update(erasures)
    .set({ completeTime: sql`now()` })
    .where(and(eq(erasures.id, id), isNull(erasures.completeTime)))
    .returning({ id: erasures.id });
  return rows.length > 0;
}

/** Only while nothing was done: auth refused. */
export async function withdrawErasure(db: Queryable, id: string): Promise<void> {
  await db.sql`delete from erasures where id = ${id} and steps_done = '{}' and complete_time is null`;
}
