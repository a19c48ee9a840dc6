import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LoginRequest, LoginResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { requireCaptcha } from '../captcha/require-captcha.ts';
import { isEmailVerificationRequired } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { beginSignIn, recordLock, refusalOf, type SignInAttempt } from '../lockout/sign-in-attempt.ts';
import { sendVerification } from '../user/send-verification.ts';
import { normaliseEmail, type UserRow } from '../user/user.ts';
import { findUserByEmailAddress } from '../user/user-store.ts';
import { acceptPassword } from './accept-password.ts';
import { keyThumbprintOfProof } from './require-proof.ts';

type Response = MessageInitShape<typeof LoginResponseSchema>;

/** Signs in with a password: known and unknown addresses go the same way and cost the same (S1.3d). */
export async function login(deps: Deps, request: LoginRequest, call: Call): Promise<Response> {
  const email = normaliseEmail(request.email);
  const keyThumbprint = await keyThumbprintOfProof(deps, call);
  await requireCaptcha(deps, request.captcha, email);
  const user = await findUserByEmailAddress(deps.database, email);
  const act = actOf(call);
  const attempt = await beginSignIn(deps, act, call, { email, user, deviceToken: request.deviceToken });
  if (attempt.verdict.outcome !== 'evaluate') return refuseAttempt(deps, call, user, attempt);

  // Accounts that can't sign in cost the same hash and get the same answer.
  const canSignIn = user !== undefined && user.status === 'ACTIVE';
  const stored = canSignIn ? (user.passwordHash ?? undefined) : undefined;
  const isRight = await deps.hasher.verify(request.password, stored, call.signal);
  if (user === undefined || stored === undefined || !isRight) return refusePassword(deps, call, user, attempt);
  if (isEmailVerificationRequired(deps.config) && !user.emailVerified) {
    return refuseUnverified(deps, call, user, attempt);
  }
  return acceptPassword(deps, call, user, { attempt, password: request.password, keyThumbprint });
}

/** Locked, or before the wait is over: nothing is evaluated. Written, committed, then thrown. */
async function refuseAttempt(
  deps: Deps,
  call: Call,
  user: UserRow | undefined,
  attempt: SignInAttempt,
): Promise<never> {
  const act = actOf(call);
  const { verdict, target } = attempt;
  const event = loginFailed(user, attempt, verdict.outcome === 'locked' ? 'locked' : 'backoff');
  if (verdict.hasLocked) {
    await deps.database.transaction(act, async (tx) => {
      await appendEvent(tx, act, event);
      await recordLock(tx, deps, act, { target, user });
    });
  } else {
    // One statement: thousands of refused guesses must stay cheap.
    await appendEvent(deps.database, act, event);
  }
  if (verdict.hasLocked || verdict.outcome === 'backoff') await deps.guard.mirror(target);
  deps.metrics.increment('auth_login_attempts_total', { outcome: verdict.outcome });
  throw refusalOf(attempt);
}

async function refusePassword(
  deps: Deps,
  call: Call,
  user: UserRow | undefined,
  attempt: SignInAttempt,
): Promise<never> {
  const act = actOf(call);
  const hasTripped = await deps.spray.note(attempt.target.key);
  await deps.database.transaction(act, async (tx) => {
    const hasLocked = await deps.guard.fail(tx, attempt.target);
    await appendEvent(tx, act, loginFailed(user, attempt, 'password'));
    if (hasLocked) await recordLock(tx, deps, act, { target: attempt.target, user });
    if (hasTripped) {
      await appendEvent(tx, act, {
        action: 'ANOMALY_DETECTED',
        resourceType: 'system_config',
        resourceId: 'sign-in',
        details: { rule: 'password-spraying', accounts: String(deps.config.LOGIN_SPRAY_ACCOUNTS) },
      });
    }
  });
  await deps.guard.mirror(attempt.target);
  deps.metrics.increment('auth_login_attempts_total', { outcome: 'failed' });
  // Attempts left are told to a device that the owner knows, and to nobody else (requirements.md, decisions).
  const isKnown = attempt.deviceId !== undefined;
  throw errors.INVALID_CREDENTIALS(isKnown ? { metadata: { attemptsLeft: String(attempt.verdict.attemptsLeft) } } : {});
}

/** Whoever has the password may know that the address waits for its proof; a new message is on its way. */
async function refuseUnverified(deps: Deps, call: Call, user: UserRow, attempt: SignInAttempt): Promise<never> {
  const act = actOf(call);
  await deps.database.transaction(act, async (tx) => {
    await deps.guard.succeed(tx, attempt.target);
    await sendVerification(tx, deps, user);
    await appendEvent(tx, act, loginFailed(user, attempt, 'email-not-verified'));
  });
  await deps.guard.mirror(attempt.target);
  deps.metrics.increment('auth_login_attempts_total', { outcome: 'unverified' });
  throw errors.EMAIL_NOT_VERIFIED();
}

function loginFailed(user: UserRow | undefined, attempt: SignInAttempt, reason: string) {
  return {
    action: 'USER_LOGIN_FAILED' as const,
    resourceType: 'user' as const,
    resourceId: user?.id ?? attempt.target.key.toString('hex'),
    subjectId: user?.id,
    details: { reason, path: attempt.target.kind },
  };
}
