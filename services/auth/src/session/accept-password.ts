import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LoginResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Act, Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { encodeDeviceToken } from '../lockout/known-device.ts';
import { insertKnownDevice, touchKnownDevice } from '../lockout/known-device-store.ts';
import type { SignInAttempt } from '../lockout/sign-in-attempt.ts';
import { openChallenge } from '../mfa/open-challenge.ts';
import { sendNotice } from '../notices.ts';
import type { UserRow } from '../user/user.ts';
import { lockUser, upgradePasswordHash } from '../user/user-store.ts';
import { isEnrolmentRequired } from './issue-tokens.ts';
import { openSession } from './open-session.ts';
import { hasAnySession, hasSessionFrom } from './session-store.ts';

/** As many failures before a success make it worth a word to the owner (ASVS V6.3.5). */
const suspiciousFailuresMin = 3;

interface AcceptedPassword {
  readonly attempt: SignInAttempt;
  readonly password: string;
  readonly keyThumbprint: string | undefined;
}

/** The password was right: tokens, or the challenge that stands before them. One transaction, one event. */
export async function acceptPassword(
  deps: Deps,
  call: Call,
  user: UserRow,
  accepted: AcceptedPassword,
): Promise<MessageInitShape<typeof LoginResponseSchema>> {
  const { attempt, password, keyThumbprint } = accepted;
  const stored = user.passwordHash ?? '';
  const upgraded = deps.hasher.isOutdated(stored) ? await deps.hasher.hash(password, call.signal) : undefined;
  const act = actAs(call, user.id);
  const outcome = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, user.id);
    // Changed or suspended while the password was being checked: what was right then is nothing now.
    if (current === undefined || current.status !== 'ACTIVE' || current.passwordHash !== stored) return undefined;
    await deps.guard.succeed(tx, attempt.target);
    if (upgraded !== undefined) await upgradePasswordHash(tx, user.id, stored, upgraded);
    if (current.mfaEnabled) {
      return { challenge: await openChallenge(tx, deps, current, { keyThumbprint }), current };
    }
    await warnOwner(tx, deps, act, current, attempt);
    const opened = await openSession(tx, deps, call, current, { methods: ['pwd'], keyThumbprint });
    const deviceToken = await rememberDevice(tx, deps, current, attempt.deviceId);
    await appendEvent(tx, act, {
      action: 'USER_LOGIN',
      resourceType: 'session',
      resourceId: opened.sessionId,
      subjectId: user.id,
      details: { methods: 'pwd', path: attempt.target.kind },
    });
    return { opened, deviceToken, current };
  });
  await deps.guard.mirror(attempt.target);
  if (outcome === undefined) throw errors.INVALID_CREDENTIALS();
  await failpoint('auth.login.after-commit');
  deps.metrics.increment('auth_login_attempts_total', {
    outcome: outcome.opened === undefined ? 'challenged' : 'succeeded',
  });
  if (outcome.opened === undefined) return { mfaChallenge: outcome.challenge };
  await deps.denylist.apply(outcome.opened.revocations);
  return {
    tokens: outcome.opened.tokens,
    passwordChangeRequired: outcome.current.passwordChangeRequired,
    mfaEnrollmentRequired: isEnrolmentRequired(deps, outcome.current),
    deviceToken: outcome.deviceToken,
  };
}

/** Makes the device known, or keeps it so; answers the token that it shows next time. */
export async function rememberDevice(
  tx: Transaction,
  deps: Deps,
  user: UserRow,
  knownId: string | undefined,
): Promise<string> {
  const deviceId = knownId ?? uuidv7();
  if (knownId === undefined) await insertKnownDevice(tx, deviceId, user.id);
  else await touchKnownDevice(tx, deviceId);
  return encodeDeviceToken(deps.keyring, { deviceId, userId: user.id });
}

/** S1.3e, V6.3.5: a device not seen before, or a success after several failures. */
export async function warnOwner(
  tx: Transaction,
  deps: Deps,
  act: Act,
  user: UserRow,
  attempt: Pick<SignInAttempt, 'deviceId' | 'verdict'>,
): Promise<void> {
  const values = { ipAddress: act.ipAddress, userAgent: act.userAgent.slice(0, 200) };
  if (attempt.verdict.failures > suspiciousFailuresMin) {
    await sendNotice(tx, deps, user, 'suspicious-sign-in', values);
    return;
  }
  if (attempt.deviceId !== undefined || !(await hasAnySession(tx, user.id))) return;
  if (await hasSessionFrom(tx, user.id, act.userAgent)) return;
  await sendNotice(tx, deps, user, 'new-device', values);
}
