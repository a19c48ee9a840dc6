import { randomBytes } from 'node:crypto';
import { sha256 } from '@strongroom/platform/crypto';
import { clockTime, clockTimeIn, isOneOf, type Queryable } from '@strongroom/platform/database';
import { and, eq, gt, isNull } from 'drizzle-orm';
import { messageTokens } from '../schema.ts';
import { emailHash } from './user.ts';

export type MessagePurpose = (typeof messageTokens.$inferSelect)['purpose'];

/** 256 bits; only the hash is stored, so a copy of the database opens no account. */
const tokenBytes = 32;
/** How long each works (ASVS V6.4.1). */
const messageTokenLifeS: Readonly<Record<MessagePurpose, number>> = {
  'verify-email': 86_400,
  'password-reset': 3_600,
  invitation: 259_200,
  'recovery-cancel': 2_592_000,
};

function messageTokenHash(token: string): Buffer {
  return sha256(`message token\n${token}`);
}

/** Makes a token and voids earlier ones of the purpose: the last message is the one that works. */
export async function createMessageToken(
  db: Queryable,
  user: { readonly id: string; readonly email: string },
  purpose: MessagePurpose,
): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url');
  await db.orm
    .delete(messageTokens)
    .where(and(eq(messageTokens.userId, user.id), eq(messageTokens.purpose, purpose), isNull(messageTokens.useTime)));
  await db.orm.insert(messageTokens).values({
    tokenHash: messageTokenHash(token),
    userId: user.id,
    purpose,
    emailHash: emailHash(user.email),
    expireTime: clockTimeIn(messageTokenLifeS[purpose]),
  });
  return token;
}

/**
 * Uses the token if it is this person's and went to the address that is theirs now; answers what it was for. Of any number
 * of parallel uses one gets it.
 */
export async function useMessageToken(
  db: Queryable,
  user: { readonly id: string; readonly email: string | null } | undefined,
  token: string,
  purposes: readonly MessagePurpose[],
): Promise<MessagePurpose | undefined> {
  if (user === undefined || user.email === null) return undefined;
  const { userId, purpose, emailHash: hash } = messageTokens;
  const [used] = await db.orm
    .update(messageTokens)
    .set({ useTime: clockTime })
    .where(and(isUsable(token, purposes), eq(userId, user.id), eq(hash, emailHash(user.email))))
    .returning({ purpose });
  return used?.purpose;
}

/** Whose token it is, without using it: a new password that breaks the rules must not cost the link. */
export async function peekMessageToken(
  db: Queryable,
  token: string,
  purposes: readonly MessagePurpose[],
): Promise<string | undefined> {
  const [row] = await db.orm
    .select({ userId: messageTokens.userId })
    .from(messageTokens)
    .where(isUsable(token, purposes));
  return row?.userId;
}

function isUsable(token: string, purposes: readonly MessagePurpose[]) {
  return and(
    eq(messageTokens.tokenHash, messageTokenHash(token)),
    isOneOf(messageTokens.purpose, purposes),
    isNull(messageTokens.useTime),
    gt(messageTokens.expireTime, clockTime),
  );
}

/** Whether a message of the purpose was asked for lately, to keep mailboxes from being flooded. */
export async function isMessageRecent(
  db: Queryable,
  userId: string,
  purpose: MessagePurpose,
  withinS: number,
): Promise<boolean> {
  const rows = await db.orm
    .select({ userId: messageTokens.userId })
    .from(messageTokens)
    .where(
      and(
        eq(messageTokens.userId, userId),
        eq(messageTokens.purpose, purpose),
        gt(messageTokens.createTime, clockTimeIn(-withinS)),
      ),
    )
    .limit(1);
  return rows.length === 1;
}
