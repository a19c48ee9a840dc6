import type { Queryable } from '@strongroom/platform/database';
import { eq, sql } from 'drizzle-orm';
import { notices } from '../schema.ts';

/** Notes an attempt. False when the notice needs no more: it was sent, or has run out. */
export async function beginAttempt(
  db: Queryable,
  notice: { readonly id: string; readonly userId: string; readonly template: string },
): Promise<boolean> {
  const [row] = await db.orm
    .insert(notices)
    .values({ ...notice, state: 'sending', attemptCount: 1 })
    .onConflictDoUpdate({ target: notices.id, set: { attemptCount: sql`${notices.attemptCount} + 1` } })
    .returning({ state: notices.state });
  return row?.state === 'sending' || row?.state === 'parked';
}

export async function endNotice(db: Queryable, id: string, state: 'sent' | 'expired' | 'parked'): Promise<void> {
  await db.orm
    .update(notices)
    .set({ state, ...(state === 'sent' ? { sendTime: sql`now()` } : {}) })
    .where(eq(notices.id, id));
}
