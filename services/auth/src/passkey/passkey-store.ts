import { type Executor, firstRow } from '../store.ts';

export interface PasskeyRow {
  readonly id: string;
  readonly userId: string;
  readonly credentialId: Buffer;
  readonly publicKey: Buffer;
  readonly signCount: bigint;
  readonly transports: string[];
  readonly name: string;
  readonly createTime: string;
  readonly lastUsedTime: string | null;
}

const columns = `
  id, user_id as "userId", credential_id as "credentialId", public_key as "publicKey", sign_count as "signCount",
  transports, name, create_time::text as "createTime", last_used_time::text as "lastUsedTime"`;

export async function listPasskeys({ sql }: Executor, userId: string): Promise<PasskeyRow[]> {
  const rows = await sql`
    select ${sql.unsafe(columns)} from passkeys where user_id = ${userId} order by create_time, id`;
  return rows as unknown as PasskeyRow[];
}

export async function findPasskey({ sql }: Executor, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  return firstRow(await sql`select ${sql.unsafe(columns)} from passkeys where credential_id = ${credentialId}`);
}

export async function insertPasskey(
  { sql }: Executor,
  passkey: Omit<PasskeyRow, 'createTime' | 'lastUsedTime'>,
): Promise<PasskeyRow | undefined> {
  return firstRow(
    await sql`
    insert into passkeys (id, user_id, credential_id, public_key, sign_count, transports, name)
    values (${passkey.id}, ${passkey.userId}, ${passkey.credentialId}, ${passkey.publicKey},
      ${String(passkey.signCount)}::text::bigint, ${[...passkey.transports]}, ${passkey.name})
    on conflict (credential_id) do nothing returning ${sql.unsafe(columns)}`,
  );
}

/**
 * Keeps the counter rising (WebAuthn Level 3, section 6.1.1): a copy of the authenticator shows by a counter that
 * doesn't. Authenticators without one stay at 0.
 */
export async function usePasskey({ sql }: Executor, id: string, signCount: number): Promise<boolean> {
  const rows = await sql`
    update passkeys set sign_count = ${signCount}, last_used_time = clock_timestamp()
    where id = ${id} and (sign_count < ${signCount} or (sign_count = 0 and ${signCount} = 0)) returning id`;
  return rows.length === 1;
}

export async function deletePasskey({ sql }: Executor, userId: string, id: string): Promise<boolean> {
  const rows = await sql`delete from passkeys where user_id = ${userId} and id = ${id} returning id`;
  return rows.length === 1;
}

export type PasskeyPurpose = 'register' | 'login' | 'step-up';

export async function insertPasskeyChallenge(
  { sql }: Executor,
  challenge: {
    readonly idHash: Buffer;
    readonly purpose: PasskeyPurpose;
    readonly userId: string | null;
    readonly challenge: string;
    readonly lifeS: number;
  },
): Promise<void> {
  await sql`
    insert into passkey_challenges (id_hash, purpose, user_id, challenge, expire_time)
    values (${challenge.idHash}, ${challenge.purpose}, ${challenge.userId}, ${challenge.challenge},
      clock_timestamp() + ${challenge.lifeS}::int * interval '1 second')`;
}

/** Used up by being read: an answer counts once. */
export async function takePasskeyChallenge(
  { sql }: Executor,
  idHash: Buffer,
  purpose: PasskeyPurpose,
): Promise<{ challenge: string; userId: string | null } | undefined> {
  return firstRow(
    await sql`
    update passkey_challenges set use_time = clock_timestamp()
    where id_hash = ${idHash} and purpose = ${purpose} and use_time is null and expire_time > clock_timestamp()
    returning challenge, user_id as "userId"`,
  );
}
