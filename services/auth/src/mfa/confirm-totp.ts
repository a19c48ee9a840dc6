import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConfirmTotpRequest, ConfirmTotpResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findUser, lockUser } from '../user/user-store.ts';
import { enableFactor } from './enable-factor.ts';
import { confirmSeed, findTotp } from './mfa-store.ts';
import { failSecondFactor, reserveSecondFactor } from './second-factor.ts';
import { stepOfCode } from './totp.ts';

/** Turns the second factor on once its application has shown that it works (S7.1: verified before it counts). */
export async function confirmTotp(
  deps: Deps,
  { code }: ConfirmTotpRequest,
  call: Call,
): Promise<MessageInitShape<typeof ConfirmTotpResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const user = await findUser(deps.database, userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  const waiting = await findTotp(deps.database, userId);
  if (waiting?.pendingSeed == null || !waiting.isPendingAlive) throw errors.MFA_ENROLMENT_NOT_STARTED();
  const pending = waiting.pendingSeed;
  const target = await reserveSecondFactor(deps, call, user);
  const place = { table: 'totp_factors', row: userId };
  const seed = deps.cipher.open(pending, { ...place, column: 'pending_seed' });
  const step = stepOfCode(seed, code, deps.now());
  if (step === undefined) {
    await failSecondFactor(deps, call, user, target);
    throw errors.MFA_CODE_INVALID();
  }
  const act = actOf(call);
  const enabled = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, userId);
    if (current === undefined || current.status !== 'ACTIVE') throw errors.USER_NOT_FOUND();
    const sealed = deps.cipher.seal(seed, { ...place, column: 'seed' });
    // The step of the proof is used: the same code doesn't sign in afterwards.
    if (!(await confirmSeed(tx, userId, { pending, seed: sealed, step }))) throw errors.MFA_ENROLMENT_NOT_STARTED();
    await deps.guard.succeed(tx, target);
    await appendEvent(tx, act, {
      action: 'MFA_ENABLED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { factor: 'totp' },
    });
    const result = await enableFactor(tx, deps, call, current, { method: 'otp', replaceCodes: true });
    await failpoint('auth.confirm-totp.before-commit');
    return result;
  });
  await failpoint('auth.confirm-totp.after-commit');
  await deps.guard.mirror(target);
  await deps.denylist.apply(enabled.revocations);
  return { backupCodes: enabled.backupCodes };
}
