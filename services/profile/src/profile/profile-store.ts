import { type FieldCipher, openRow, sealRow } from '@strongroom/platform/crypto';
import type { Queryable } from '@strongroom/platform/database';
import { eq, sql } from 'drizzle-orm';
import { profiles } from '../schema.ts';
import { emptyProfile, type ProfileFields } from './profile.ts';

const untoldVersion = 0n;

export interface StoredProfile extends ProfileFields {
  readonly userId: string;
  readonly version: bigint;
  readonly createTime: string;
  readonly updateTime: string;
}

export async function findProfile(
  db: Queryable,
  cipher: FieldCipher,
  userId: string,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<StoredProfile | undefined> {
  const query = db.orm.select().from(profiles).where(eq(profiles.userId, userId));
  const [row] = await (lock ? query.for('update') : query);
  if (row === undefined) return undefined;
  const { phone, address, taxId, dateOfBirth, ...clear } = openRow(cipher, profiles, userId, row);
  return {
    ...clear,
    phone: phone ?? '',
    address: address ?? '',
    taxId: taxId ?? '',
    dateOfBirth: dateOfBirth ?? '',
  };
}

/**
 * Makes the row where there is none, so that the update after it has one to lock. It has the version that readers were
 * told while there was no row.
 */
export async function ensureProfile(db: Queryable, userId: string): Promise<void> {
  await db.orm.insert(profiles).values({ userId, version: untoldVersion }).onConflictDoNothing();
}

export async function updateProfileRow(
  db: Queryable,
  cipher: FieldCipher,
  userId: string,
  change: Partial<ProfileFields>,
): Promise<void> {
  await db.orm
    .update(profiles)
    .set({
      ...sealRow(cipher, profiles, userId, change),
      version: sql`${profiles.version} + 1`,
      updateTime: sql`now()`,
    })
    .where(eq(profiles.userId, userId));
}

export async function deleteProfile(db: Queryable, userId: string): Promise<void> {
  await db.orm.delete(profiles).where(eq(profiles.userId, userId));
}

/** The profile of someone who has told nothing yet. */
export function untoldProfile(userId: string): StoredProfile {
  return { ...emptyProfile, userId, version: untoldVersion, createTime: '', updateTime: '' };
}
