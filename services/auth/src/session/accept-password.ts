import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LoginResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { failpoint } from '@strongroom/platform/process';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { SignInAttempt } from '../lockout/sign-in-attempt.ts';
import { openChallenge } from '../mfa/open-challenge.ts';
import type { UserRow } from '../user/user.ts';
import { lockUser, upgradePasswordHash } from '../user/user-store.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { isEnrolmentRequired } from './issue-tokens.ts';
import { rememberDevice } from './remember-device.ts';

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
    const origin = {
      keyThumbprint,
      knownDeviceId: attempt.deviceId,
      // This attempt has its place among them.
      failuresBefore: attempt.verdict.failures - 1,
    };
    if (current.mfaEnabled) return { challenge: await openChallenge(tx, deps, current, origin), current };
    const opened = await finishSignIn(tx, deps, call, current, ['pwd'], origin);
    const deviceToken = await rememberDevice(tx, deps, current, attempt.deviceId);
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
