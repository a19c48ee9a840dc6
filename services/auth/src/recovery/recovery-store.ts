import { clockTime, clockTimeIn, type Queryable } from '@strongroom/platform/database';
import { and, asc, eq, gt, lt, lte, ne, sql } from 'drizzle-orm';
import { mfaRecoveries } from '../schema.ts';

type StoredRecovery = typeof mfaRecoveries.$inferSelect;
export type RecoveryState = StoredRecovery['state'];
export type RecoveryRow = Readonly<Pick<StoredRecovery, 'id' | 'userId' | 'state' | 'createTime' | 'effectiveTime'>>;

const { id, userId, state, createTime, effectiveTime } = mfaRecoveries;
const columns = { id, userId, state, createTime, effectiveTime };
/** Written out, as PostgreSQL must see that it is the condition of the index of open recoveries. */
const isOpen = sql`${sql.identifier(state.name)} in ('REQUESTED', 'APPROVED')`;

/** The open one of the user, made if there is none: asking twice is asking once. */
export async function openRecovery(
  db: Queryable,
  recovery: { readonly id: string; readonly userId: string; readonly lifeS: number },
): Promise<{ readonly row: RecoveryRow; readonly isNew: boolean }> {
  await db.orm
    .update(mfaRecoveries)
    .set({ state: 'CANCELLED', endTime: clockTime })
    .where(and(eq(userId, recovery.userId), eq(state, 'REQUESTED'), lt(mfaRecoveries.expireTime, clockTime)));
  const [made] = await db.orm
    .insert(mfaRecoveries)
    .values({
      id: recovery.id,
      userId: recovery.userId,
      state: 'REQUESTED',
      expireTime: clockTimeIn(recovery.lifeS),
    })
    .onConflictDoNothing({ target: userId, where: isOpen })
    .returning(columns);
  if (made !== undefined) return { row: made, isNew: true };
  const [row] = await db.orm
    .select(columns)
    .from(mfaRecoveries)
    .where(and(eq(userId, recovery.userId), isOpen));
  if (row === undefined) throw new Error('an open recovery went while its user was held');
  return { row, isNew: false };
}

/** Approves a request that is alive, by anyone but its owner: two people, always (ASVS V6.4.4). */
export async function approveRecovery(
  db: Queryable,
  approval: { readonly id: string; readonly approverId: string; readonly reason: string; readonly delayS: number },
): Promise<RecoveryRow | undefined> {
  const [row] = await db.orm
    .update(mfaRecoveries)
    .set({
      state: 'APPROVED',
      approveTime: clockTime,
      approverId: approval.approverId,
      approveReason: approval.reason,
      effectiveTime: clockTimeIn(approval.delayS),
    })
    .where(
      and(
        eq(id, approval.id),
        eq(state, 'REQUESTED'),
        gt(mfaRecoveries.expireTime, clockTime),
        ne(userId, approval.approverId),
      ),
    )
    .returning(columns);
  return row;
}

export async function cancelRecovery(
  db: Queryable,
  recoveryId: string,
  ownerId: string,
): Promise<RecoveryRow | undefined> {
  const [row] = await db.orm
    .update(mfaRecoveries)
    .set({ state: 'CANCELLED', endTime: clockTime })
    .where(and(eq(id, recoveryId), eq(userId, ownerId), isOpen))
    .returning(columns);
  return row;
}

/** Takes one that is due, so that of several instances one completes it. */
export async function takeDueRecovery(db: Queryable): Promise<RecoveryRow | undefined> {
  const due = db.orm
    .select({ id })
    .from(mfaRecoveries)
    .where(and(eq(state, 'APPROVED'), lte(effectiveTime, clockTime)))
    .orderBy(asc(effectiveTime))
    .limit(1)
    .for('update', { skipLocked: true });
  const [row] = await db.orm
    .update(mfaRecoveries)
    .set({ state: 'COMPLETED', endTime: clockTime })
    .where(eq(id, due))
    .returning(columns);
  return row;
}
