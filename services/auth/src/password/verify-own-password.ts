import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { GuessTarget } from '../lockout/attempt-guard.ts';
import { passwordKey } from '../lockout/lockout.ts';
import { recordLock, refusalOf } from '../lockout/sign-in-attempt.ts';
import type { UserRow } from '../user/user.ts';

/**
 * The password again, from inside a session. A stolen session must not become a place to guess it (ASVS V6.2.3): the
 * same limits hold, on a counter of its own, so that it can't lock the sign-in either.
 */
export async function verifyOwnPassword(deps: Deps, call: Call, user: UserRow, password: string): Promise<void> {
  const act = actOf(call);
  const policy = lockoutPolicyOf(deps.config);
  const target: GuessTarget = { key: passwordKey(user.id), kind: 'password', ipAddress: call.ipAddress, policy };
  const verdict = await deps.guard.reserve(act, target);
  const stored = user.passwordHash ?? undefined;
  const isEvaluated = verdict.outcome === 'evaluate';
  const isRight = isEvaluated && (await deps.hasher.verify(password, stored, call.signal));
  await deps.database.transaction(act, async (tx) => {
    if (isRight) {
      await deps.guard.succeed(tx, target);
      return;
    }
    const hasLocked = isEvaluated ? await deps.guard.fail(tx, target) : verdict.hasLocked;
    await appendEvent(tx, act, {
      action: 'USER_LOGIN_FAILED',
      resourceType: 'user',
      resourceId: user.id,
      subjectId: user.id,
      details: { reason: isEvaluated ? 'password' : verdict.outcome, path: target.kind },
    });
    if (hasLocked) await recordLock(tx, deps, act, { target, user });
  });
  await deps.guard.mirror(target);
  if (!isEvaluated) throw refusalOf({ verdict });
  if (!isRight) throw errors.INVALID_PASSWORD();
}
