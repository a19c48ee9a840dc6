import type { Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { GuessTarget } from '../lockout/attempt-guard.ts';
import { otpKey } from '../lockout/lockout.ts';
import { recordLock } from '../lockout/sign-in-attempt.ts';
import { credentialIdOf, verifyAssertion } from '../passkey/passkey.ts';
import { findPasskey, usePasskey } from '../passkey/passkey-store.ts';
import { relyingPartyOf } from '../passkey/relying-party.ts';
import type { UserRow } from '../user/user.ts';
import { backupCodeHashes } from './backup-code.ts';
import { findTotp, useBackupCode, useStep } from './mfa-store.ts';
import { stepOfCode } from './totp.ts';

/** One way to answer for a second factor. */
export type SecondFactorAnswer =
  | { readonly case: 'code' | 'backupCode'; readonly value: string }
  | { readonly case: 'passkeyResponseJson'; readonly value: string; readonly challenge: string | undefined };

/** RFC 8176 values of each, beside `mfa`. */
export const methodsOfAnswer = {
  code: 'otp',
  backupCode: 'otp',
  passkeyResponseJson: 'hwk',
} as const satisfies Record<SecondFactorAnswer['case'], string>;

/** B-lockout: wrong codes count per user, whatever challenge or session they come from; a new sign-in resets nothing. */
function otpTarget(deps: Pick<Deps, 'config'>, call: Call, userId: string): GuessTarget {
  return { key: otpKey(userId), kind: 'otp', ipAddress: call.ipAddress, policy: lockoutPolicyOf(deps.config) };
}

/** Takes a place among the guesses; throws MFA_LOCKED when there is none, or while the wait between failures lasts. */
export async function reserveSecondFactor(deps: Deps, call: Call, user: UserRow): Promise<GuessTarget> {
  const target = otpTarget(deps, call, user.id);
  const act = actOf(call);
  const verdict = await deps.guard.reserve(act, target);
  if (verdict.outcome === 'evaluate') return target;
  await deps.database.transaction(act, async (tx) => {
    await recordFailure(tx, deps, call, user, verdict.outcome);
    if (verdict.hasLocked) await recordLock(tx, deps, act, { target, user });
  });
  await deps.guard.mirror(target);
  throw errors.MFA_LOCKED({ retryAfterMs: Math.ceil(verdict.retryAfterMs) });
}

/**
 * Whether the answer is right, and uses it up: a step, a code and a challenge count once. In the transaction that goes
 * on with the success, so that a crash leaves neither a used code without a session nor a session without a used code.
 */
export async function acceptSecondFactor(
  tx: Transaction,
  deps: Deps,
  user: UserRow,
  answer: SecondFactorAnswer,
): Promise<boolean> {
  if (answer.case === 'passkeyResponseJson') return acceptPasskey(tx, deps, user.id, answer.challenge, answer.value);
  if (answer.case === 'code') return acceptTotp(tx, deps, user.id, answer.value);
  return useBackupCode(tx, user.id, backupCodeHashes(deps.keyring, user.id, answer.value));
}

async function acceptTotp(tx: Transaction, deps: Deps, userId: string, code: string): Promise<boolean> {
  const totp = await findTotp(tx, userId);
  if (totp?.seed == null) return false;
  const seed = deps.cipher.open(totp.seed, { table: 'totp_factors', column: 'seed', row: userId });
  const step = stepOfCode(seed, code, deps.now());
  return step !== undefined && (await useStep(tx, userId, step));
}

export async function acceptPasskey(
  tx: Transaction,
  deps: Deps,
  userId: string,
  challenge: string | undefined,
  responseJson: string,
): Promise<boolean> {
  const credentialId = credentialIdOf(responseJson);
  const passkey = credentialId === undefined ? undefined : await findPasskey(tx, credentialId);
  if (challenge === undefined || passkey === undefined || passkey.userId !== userId) return false;
  const signCount = await verifyAssertion(relyingPartyOf(deps), passkey, challenge, responseJson);
  return signCount !== undefined && (await usePasskey(tx, passkey.id, signCount));
}

/** A wrong second factor: counted, recorded, told to the owner when it locks. */
export async function failSecondFactor(deps: Deps, call: Call, user: UserRow, target: GuessTarget): Promise<void> {
  const act = actOf(call);
  await deps.database.transaction(act, async (tx) => {
    const hasLocked = await deps.guard.fail(tx, target);
    await recordFailure(tx, deps, call, user, 'wrong');
    if (hasLocked) await recordLock(tx, deps, act, { target, user });
  });
  await deps.guard.mirror(target);
}

async function recordFailure(tx: Transaction, deps: Deps, call: Call, user: UserRow, reason: string): Promise<void> {
  deps.metrics.increment('auth_mfa_attempts_total', { method: 'any', outcome: reason });
  await appendEvent(tx, actOf(call), {
    action: 'MFA_FAILED',
    resourceType: 'user',
    resourceId: user.id,
    subjectId: user.id,
    details: { reason, method: call.method.name },
  });
}

export function countSuccess(deps: Deps, answer: SecondFactorAnswer): void {
  deps.metrics.increment('auth_mfa_attempts_total', { method: methodsOfAnswer[answer.case], outcome: 'succeeded' });
}
