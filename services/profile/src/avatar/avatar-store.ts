import type { Queryable } from '@strongroom/platform/database';
import { eq, sql } from 'drizzle-orm';
import { avatars } from '../schema.ts';

export async function findAvatar(db: Queryable, userId: string): Promise<Buffer | undefined> {
  const [row] = await db.orm.select({ content: avatars.content }).from(avatars).where(eq(avatars.userId, userId));
  return row?.content;
}

export async function putAvatar(db: Queryable, userId: string, content: Buffer): Promise<void> {
  await db.orm
    .insert(avatars)
    .values({ userId, content })
    .onConflictDoUpdate({ target: avatars.userId, set: { content, updateTime: sql`now()` } });
}

export async function deleteAvatar(db: Queryable, userId: string): Promise<void> {
  await db.orm.delete(avatars).where(eq(avatars.userId, userId));
}
