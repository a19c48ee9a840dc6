import type { Queryable } from '@strongroom/platform/database';
import { eq } from 'drizzle-orm';
import { preferences } from '../schema.ts';
import type { PreferencesDocument } from './preferences.ts';

export async function findPreferences(
  db: Queryable,
  userId: string,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<PreferencesDocument> {
  const query = db.orm.select().from(preferences).where(eq(preferences.userId, userId));
  const [row] = await (lock ? query.for('update') : query);
  return row?.document ?? {};
}

/** Makes the row where there is none, so that two first changes at once wait for each other. */
export async function ensurePreferences(db: Queryable, userId: string): Promise<void> {
  await db.orm.insert(preferences).values({ userId, document: {} }).onConflictDoNothing();
}

export async function replacePreferences(db: Queryable, userId: string, document: PreferencesDocument): Promise<void> {
  await db.sql`update preferences set document = ${JSON.stringify(document)}::text::jsonb, update_time = now()
    where user_id = ${userId}`;
}

export async function deletePreferences(db: Queryable, userId: string): Promise<void> {
  await db.orm.delete(preferences).where(eq(preferences.userId, userId));
}
