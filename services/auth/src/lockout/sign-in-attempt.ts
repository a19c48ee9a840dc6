import type { Act, Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import type { UserRow } from '../user/user.ts';
import type { GuessTarget, Verdict } from './attempt-guard.ts';
import { readDeviceToken } from './known-device.ts';
import { isDeviceKnown } from './known-device-store.ts';
import { deviceKey, emailKey } from './lockout.ts';

/** One try to sign in, from the reservation to its settling. */
export interface SignInAttempt {
  readonly target: GuessTarget;
  /** Set when the try comes from a device known to the owner. */
  readonly deviceId: string | undefined;
  readonly verdict: Verdict;
}

/**
 * Reserves a place before the password is looked at (S1.3a). A device known to the owner counts apart, so strangers
 * can't lock the owner out (B-lockout); a token of another account or a made-up one is a stranger's.
 */
export async function beginSignIn(
  deps: Deps,
  act: Act,
  call: Call,
  sign: { readonly email: string; readonly user: UserRow | undefined; readonly deviceToken: string | undefined },
): Promise<SignInAttempt> {
  const deviceId = await knownDeviceOf(deps, sign.user, sign.deviceToken);
  const target: GuessTarget = {
    key: deviceId === undefined ? emailKey(sign.email) : deviceKey(deviceId),
    kind: deviceId === undefined ? 'email' : 'device',
    ipAddress: call.ipAddress,
    policy: lockoutPolicyOf(deps.config),
  };
  return { target, deviceId, verdict: await deps.guard.reserve(act, target) };
}

async function knownDeviceOf(deps: Deps, user: UserRow | undefined, token: string | undefined) {
  const claims = readDeviceToken(deps.keyring, token);
  if (claims === undefined || user === undefined || claims.userId !== user.id) return undefined;
  return (await isDeviceKnown(deps.database, claims.deviceId, user.id)) ? claims.deviceId : undefined;
}

/** What the caller of a refused attempt is told: how long to wait, and nothing about the account. */
export function refusalOf({ verdict }: Pick<SignInAttempt, 'verdict'>): Error {
  const retryAfterMs = Math.ceil(verdict.retryAfterMs);
  return verdict.outcome === 'locked'
    ? errors.ACCOUNT_LOCKED({ retryAfterMs })
    : errors.SIGN_IN_BACKOFF({ retryAfterMs });
}

/** Records that an address was locked, and tells its owner if there is one. */
export async function recordLock(
  tx: Transaction,
  deps: Deps,
  act: Act,
  lock: { readonly target: GuessTarget; readonly user: UserRow | undefined },
): Promise<void> {
  const { target, user } = lock;
  deps.metrics.increment('auth_lockouts_total', { path: target.kind });
  await appendEvent(tx, act, {
    action: 'ACCOUNT_LOCKED',
    resourceType: 'user',
    // Of an address without an account nothing is known but its hash.
    resourceId: user?.id ?? target.key.toString('hex'),
    subjectId: user?.id,
    details: { path: target.kind, durationS: String(target.policy.lockMs / 1000) },
  });
  if (user === undefined) return;
  const unlockTime = new Date(deps.now() + target.policy.lockMs).toISOString();
  await sendNotice(tx, deps, user, 'account-locked', { ipAddress: act.ipAddress, unlockTime });
}
