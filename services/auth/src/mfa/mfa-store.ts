import { type Executor, firstRow } from '../store.ts';

export interface TotpRow {
  readonly seed: Buffer | null;
  readonly pendingSeed: Buffer | null;
  readonly isPendingAlive: boolean;
}

export async function findTotp({ sql }: Executor, userId: string): Promise<TotpRow | undefined> {
  return firstRow(
    await sql`
    select seed, pending_seed as "pendingSeed",
      coalesce(pending_expire_time > clock_timestamp(), false) as "isPendingAlive"
    from totp_factors where user_id = ${userId}`,
  );
}

export async function setPendingSeed({ sql }: Executor, userId: string, seed: Buffer, lifeS: number): Promise<void> {
  await sql`
    insert into totp_factors (user_id, pending_seed, pending_expire_time)
    values (${userId}, ${seed}, clock_timestamp() + ${lifeS}::int * interval '1 second')
    on conflict (user_id) do update set pending_seed = excluded.pending_seed,
      pending_expire_time = excluded.pending_expire_time`;
}

/** Only the seed that was proven, and only once: parallel confirmations meet a seed that is pending no more. */
export async function confirmSeed(
  { sql }: Executor,
  userId: string,
  confirmed: { readonly pending: Buffer; readonly seed: Buffer; readonly step: number },
): Promise<boolean> {
  const rows = await sql`
    update totp_factors set seed = ${confirmed.seed}, last_step = ${confirmed.step}, pending_seed = null,
      pending_expire_time = null, confirm_time = clock_timestamp()
    where user_id = ${userId} and pending_seed = ${confirmed.pending} returning user_id`;
  return rows.length === 1;
}

/** RFC 6238 section 5.2: each step counts once. The compare-and-set lets one of any number of parallel tries through. */
export async function useStep({ sql }: Executor, userId: string, step: number): Promise<boolean> {
  const rows = await sql`
    update totp_factors set last_step = ${step} where user_id = ${userId} and seed is not null and last_step < ${step}
    returning user_id`;
  return rows.length === 1;
}

export async function replaceBackupCodes({ sql }: Executor, userId: string, hashes: readonly Buffer[]): Promise<void> {
  await sql`delete from backup_codes where user_id = ${userId}`;
  for (const hash of hashes) await sql`insert into backup_codes (user_id, code_hash) values (${userId}, ${hash})`;
}

/** One of any number of parallel tries gets it. */
export async function useBackupCode({ sql }: Executor, userId: string, hashes: readonly Buffer[]): Promise<boolean> {
  for (const hash of hashes) {
    const rows = await sql`
      update backup_codes set use_time = clock_timestamp()
      where user_id = ${userId} and code_hash = ${hash} and use_time is null returning user_id`;
    if (rows.length === 1) return true;
  }
  return false;
}

export async function countBackupCodes({ sql }: Executor, userId: string): Promise<number> {
  const rows = await sql`
    select count(*)::int as count from backup_codes where user_id = ${userId} and use_time is null`;
  return Number(rows[0]?.['count'] ?? 0);
}

/** Every second factor, and what could still be answered with one. */
export async function removeFactors({ sql }: Executor, userId: string): Promise<void> {
  await sql`delete from totp_factors where user_id = ${userId}`;
  await sql`delete from backup_codes where user_id = ${userId}`;
  await sql`delete from passkeys where user_id = ${userId}`;
  await sql`delete from passkey_challenges where user_id = ${userId}`;
  await sql`delete from mfa_challenges where user_id = ${userId}`;
}

export interface ChallengeRow {
  readonly idHash: Buffer;
  readonly userId: string;
  readonly passkeyChallenge: string | null;
  readonly keyThumbprint: string | null;
  readonly knownDeviceId: string | null;
  readonly failuresBefore: number;
  readonly isAlive: boolean;
}

export async function insertChallenge(
  { sql }: Executor,
  challenge: {
    readonly idHash: Buffer;
    readonly userId: string;
    readonly passkeyChallenge: string | null;
    readonly keyThumbprint: string | null;
    readonly knownDeviceId: string | null;
    readonly failuresBefore: number;
    readonly lifeS: number;
  },
): Promise<string> {
  const rows = await sql`
    insert into mfa_challenges (id_hash, user_id, passkey_challenge, key_thumbprint, known_device_id, failures_before,
      expire_time)
    values (${challenge.idHash}, ${challenge.userId}, ${challenge.passkeyChallenge}, ${challenge.keyThumbprint},
      ${challenge.knownDeviceId}, ${challenge.failuresBefore}, clock_timestamp() + ${challenge.lifeS}::int * interval '1 second')
    returning expire_time::text as "expireTime"`;
  return String(rows[0]?.['expireTime'] ?? '');
}

export async function findChallenge({ sql }: Executor, idHash: Buffer, failuresMax: number) {
  return firstRow<ChallengeRow>(
    await sql`
    select id_hash as "idHash", user_id as "userId", passkey_challenge as "passkeyChallenge",
      key_thumbprint as "keyThumbprint", known_device_id as "knownDeviceId", failures_before as "failuresBefore",
      (use_time is null and expire_time > clock_timestamp() and failed_attempts < ${failuresMax}) as "isAlive"
    from mfa_challenges where id_hash = ${idHash}`,
  );
}

/** A challenge is answered once. */
export async function useChallenge({ sql }: Executor, idHash: Buffer, failuresMax: number): Promise<boolean> {
  const rows = await sql`
    update mfa_challenges set use_time = clock_timestamp()
    where id_hash = ${idHash} and use_time is null and expire_time > clock_timestamp()
      and failed_attempts < ${failuresMax}
    returning id_hash`;
  return rows.length === 1;
}

export async function countChallengeFailure({ sql }: Executor, idHash: Buffer): Promise<void> {
  await sql`update mfa_challenges set failed_attempts = failed_attempts + 1 where id_hash = ${idHash}`;
}

export async function deleteOldChallenges({ sql }: Executor): Promise<void> {
  await sql`delete from mfa_challenges where expire_time < clock_timestamp() - interval '1 day'`;
  await sql`delete from passkey_challenges where expire_time < clock_timestamp() - interval '1 day'`;
  await sql`delete from message_tokens where expire_time < clock_timestamp() - interval '30 days'`;
}
