import { clockTime, clockTimeIn, type Queryable } from '@strongroom/platform/database';
import { lt } from 'drizzle-orm';
import { usedProofs } from './schema.ts';

/** Counts a value once, over all instances: false when it was used before. */
export async function useProof(db: Queryable, hash: Buffer, lifeS: number): Promise<boolean> {
  const rows = await db.orm
    .insert(usedProofs)
    .values({ hash, expireTime: clockTimeIn(lifeS) })
    .onConflictDoNothing({ target: usedProofs.hash })
    .returning({ hash: usedProofs.hash });
  return rows.length === 1;
}

export async function deleteOldProofs(db: Queryable): Promise<void> {
  await db.orm.delete(usedProofs).where(lt(usedProofs.expireTime, clockTime));
}
