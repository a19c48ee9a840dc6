import { clockTime, clockTimeIn, type Queryable } from '@strongroom/platform/database';
import { and, asc, eq, gt, isNull, lt } from 'drizzle-orm';
import { passkeyChallenges, passkeys } from '../schema.ts';

export type PasskeyRow = Readonly<typeof passkeys.$inferSelect>;

export async function listPasskeys(db: Queryable, userId: string): Promise<PasskeyRow[]> {
  return await db.orm
    .select()
    .from(passkeys)
    .where(eq(passkeys.userId, userId))
    .orderBy(asc(passkeys.createTime), asc(passkeys.id));
}

export async function findPasskey(db: Queryable, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  const [row] = await db.orm.select().from(passkeys).where(eq(passkeys.credentialId, credentialId));
  return row;
}

/** Undefined when the credential is registered already. */
export async function insertPasskey(
  db: Queryable,
  passkey: Omit<PasskeyRow, 'createTime' | 'lastUsedTime'>,
): Promise<PasskeyRow | undefined> {
  const [row] = await db.orm
    .insert(passkeys)
    .values(passkey)
    .onConflictDoNothing({ target: passkeys.credentialId })
    .returning();
  return row;
}

/**
 * Keeps the counter rising (WebAuthn Level 3, section 6.1.1): a copy of the authenticator shows by a counter that
 * doesn't. Authenticators without one stay at 0.
 */
export async function usePasskey(db: Queryable, id: string, signCount: number): Promise<boolean> {
  const count = BigInt(signCount);
  const isRising = count === 0n ? eq(passkeys.signCount, count) : lt(passkeys.signCount, count);
  const rows = await db.orm
    .update(passkeys)
    .set({ signCount: count, lastUsedTime: clockTime })
    .where(and(eq(passkeys.id, id), isRising))
    .returning({ id: passkeys.id });
  return rows.length === 1;
}

export async function deletePasskey(db: Queryable, userId: string, id: string): Promise<boolean> {
  const rows = await db.orm
    .delete(passkeys)
    .where(and(eq(passkeys.userId, userId), eq(passkeys.id, id)))
    .returning({ id: passkeys.id });
  return rows.length === 1;
}

type ChallengeRow = typeof passkeyChallenges.$inferSelect;
export type PasskeyPurpose = ChallengeRow['purpose'];

export async function insertPasskeyChallenge(
  db: Queryable,
  {
    lifeS,
    ...challenge
  }: Readonly<Pick<ChallengeRow, 'idHash' | 'purpose' | 'userId' | 'challenge'>> & { readonly lifeS: number },
): Promise<void> {
  await db.orm.insert(passkeyChallenges).values({ ...challenge, expireTime: clockTimeIn(lifeS) });
}

/** Used up by being read: an answer counts once. */
export async function takePasskeyChallenge(
  db: Queryable,
  idHash: Buffer,
  purpose: PasskeyPurpose,
): Promise<Pick<ChallengeRow, 'challenge' | 'userId'> | undefined> {
  const [row] = await db.orm
    .update(passkeyChallenges)
    .set({ useTime: clockTime })
    .where(
      and(
        eq(passkeyChallenges.idHash, idHash),
        eq(passkeyChallenges.purpose, purpose),
        isNull(passkeyChallenges.useTime),
        gt(passkeyChallenges.expireTime, clockTime),
      ),
    )
    .returning({ challenge: passkeyChallenges.challenge, userId: passkeyChallenges.userId });
  return row;
}
