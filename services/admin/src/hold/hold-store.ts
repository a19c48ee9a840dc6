import { clockTime, onlyRow, type Queryable } from '@strongroom/platform/database';
import { and, eq, isNull } from 'drizzle-orm';
import { legalHolds } from '../schema.ts';

export type StoredHold = Readonly<typeof legalHolds.$inferSelect>;

/** Erasing and holding a person wait for each other: a hold that was answered is one that no erasure overtakes. */
const personLockSpace = 7_203_430;

/** Until the end of the transaction, nobody else holds, releases or erases this person. */
export async function lockPerson({ sql }: Queryable, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${userId}, ${personLockSpace}))`;
}

export async function findActiveHold(db: Queryable, userId: string): Promise<StoredHold | undefined> {
  const [row] = await db.orm
    .select()
    .from(legalHolds)
    .where(and(eq(legalHolds.userId, userId), isNull(legalHolds.releaseTime)));
  return row;
}

/** Everyone held now: what retention spares. */
export async function listHeldPersons(db: Queryable): Promise<string[]> {
  const rows = await db.orm
    .select({ userId: legalHolds.userId })
    .from(legalHolds)
    .where(isNull(legalHolds.releaseTime));
  return rows.map(({ userId }) => userId);
}

export async function insertHold(
  db: Queryable,
  hold: Pick<StoredHold, 'id' | 'userId' | 'reason' | 'actorId'>,
): Promise<StoredHold> {
  return onlyRow(await db.orm.insert(legalHolds).values(hold).returning());
}

export async function releaseHold(db: Queryable, id: string): Promise<StoredHold> {
  return onlyRow(
    await db.orm.update(legalHolds).set({ releaseTime: clockTime }).where(eq(legalHolds.id, id)).returning(),
  );
}
