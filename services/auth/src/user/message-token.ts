import { randomBytes } from 'node:crypto';
import { sha256 } from '@strongroom/platform/crypto';
import { type Executor, firstRow } from '../store.ts';
import { emailHash } from './user.ts';

export type MessagePurpose = 'verify-email' | 'password-reset' | 'invitation' | 'recovery-cancel';

/** 256 bits; only the hash is stored, so a copy of the database opens no account. */
const tokenBytes = 32;
/** How long each works (ASVS V6.4.1). */
export const messageTokenLifeS: Readonly<Record<MessagePurpose, number>> = {
  'verify-email': 86_400,
  'password-reset': 3_600,
  invitation: 259_200,
  'recovery-cancel': 2_592_000,
};

export function messageTokenHash(token: string): Buffer {
  return sha256(`message token\n${token}`);
}

/** Makes a token and voids earlier ones of the purpose: the last message is the one that works. */
export async function createMessageToken(
  { sql }: Executor,
  user: { readonly id: string; readonly email: string },
  purpose: MessagePurpose,
): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url');
  await sql`delete from message_tokens where user_id = ${user.id} and purpose = ${purpose} and use_time is null`;
  await sql`
    insert into message_tokens (token_hash, user_id, purpose, email_hash, expire_time)
    values (${messageTokenHash(token)}, ${user.id}, ${purpose}, ${emailHash(user.email)},
      clock_timestamp() + ${messageTokenLifeS[purpose]}::int * interval '1 second')`;
  return token;
}

export interface UsedToken {
  readonly userId: string;
  readonly purpose: MessagePurpose;
  readonly emailHash: Buffer;
}

/** Of any number of parallel uses one gets it. */
export async function useMessageToken(
  { sql }: Executor,
  token: string,
  purposes: readonly MessagePurpose[],
): Promise<UsedToken | undefined> {
  return firstRow(
    await sql`
    update message_tokens set use_time = clock_timestamp()
    where token_hash = ${messageTokenHash(token)} and purpose = any(${[...purposes]}) and use_time is null
      and expire_time > clock_timestamp()
    returning user_id as "userId", purpose, email_hash as "emailHash"`,
  );
}

/** Whose token it is, without using it: a new password that breaks the rules must not cost the link. */
export async function peekMessageToken(
  { sql }: Executor,
  token: string,
  purposes: readonly MessagePurpose[],
): Promise<string | undefined> {
  const row = firstRow<{ userId: string }>(
    await sql`
    select user_id as "userId" from message_tokens
    where token_hash = ${messageTokenHash(token)} and purpose = any(${[...purposes]}) and use_time is null
      and expire_time > clock_timestamp()`,
  );
  return row?.userId;
}

/** How long ago the last message of the purpose was asked for, to keep mailboxes from being flooded. */
export async function isMessageRecent(
  { sql }: Executor,
  userId: string,
  purpose: MessagePurpose,
  withinS: number,
): Promise<boolean> {
  const rows = await sql`
    select 1 from message_tokens where user_id = ${userId} and purpose = ${purpose}
      and create_time > clock_timestamp() - ${withinS}::int * interval '1 second' limit 1`;
  return rows.length === 1;
}
