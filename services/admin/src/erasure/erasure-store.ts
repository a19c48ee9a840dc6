import type { Queryable } from '@strongroom/platform/database';
import { and, eq, ne } from 'drizzle-orm';
import { anomalies, anomalyBaselines, erasures } from '../schema.ts';

const keystoreLock = 7_203_426;

/**
 * Whoever holds it, until the transaction ends, is alone in rewriting the keystore: its files hold many persons, and two at
 * once would bring back whom the other erased.
 */
export async function lockKeystore({ sql }: Queryable): Promise<void> {
  await sql`select pg_advisory_xact_lock(${keystoreLock})`;
}

/** Gives whether this is the first time. */
export async function insertErasure(db: Queryable, userId: string): Promise<boolean> {
  const rows = await db.orm
    .insert(erasures)
    .values({ userId })
    .onConflictDoNothing()
    .returning({ userId: erasures.userId });
  return rows.length > 0;
}

/** What the detection of anomalies knows about a person: places, hours, devices, amounts. */
export async function deleteBaseline(db: Queryable, userId: string): Promise<void> {
  await db.orm.delete(anomalyBaselines).where(eq(anomalyBaselines.userId, userId));
  await db.orm
    .update(anomalies)
    .set({ reasons: [] })
    .where(and(eq(anomalies.userId, userId), ne(anomalies.reasons, [])));
}
