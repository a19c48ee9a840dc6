import type { MessageInitShape } from '@bufbuild/protobuf';
import type { UnlockRequest, UnlockResponseSchema } from '@strongroom/gen/strongroom/auth/v1/lockout_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { normaliseEmail } from '../user/user.ts';
import { findUserByEmailAddress } from '../user/user-store.ts';
import { emailKey, emptyLockoutState, otpKey } from './lockout.ts';
import { lockoutToProto } from './lockout-proto.ts';

/** S1.3c: forgets what was counted at the address, and at the second factor of its owner. */
export async function unlock(
  deps: Deps,
  request: UnlockRequest,
  call: Call,
): Promise<MessageInitShape<typeof UnlockResponseSchema>> {
  const email = normaliseEmail(request.email);
  const act = actOf(call);
  const policy = lockoutPolicyOf(deps.config);
  const target = { key: emailKey(email), kind: 'email' as const, ipAddress: '', policy };
  const user = await findUserByEmailAddress(deps.database, email);
  const otp = user === undefined ? undefined : { ...target, key: otpKey(user.id), kind: 'otp' as const };
  await deps.database.transaction(act, async (tx) => {
    await deps.guard.succeed(tx, target);
    if (otp !== undefined) await deps.guard.succeed(tx, otp);
    await appendEvent(tx, act, {
      action: 'ACCOUNT_UNLOCKED',
      resourceType: 'user',
      resourceId: user?.id ?? target.key.toString('hex'),
      subjectId: user?.id,
    });
  });
  await deps.guard.mirror(target);
  if (otp !== undefined) await deps.guard.mirror(otp);
  return { lockout: lockoutToProto(email, emptyLockoutState) };
}
