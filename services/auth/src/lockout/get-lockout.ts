import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetLockoutRequest, GetLockoutResponseSchema } from '@strongroom/gen/strongroom/auth/v1/lockout_pb.ts';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { normaliseEmail } from '../user/user.ts';
import { currentState, emailKey, emptyLockoutState } from './lockout.ts';
import { lockoutToProto } from './lockout-proto.ts';

/** S1.3c: alike for known and unknown addresses; administrators alone, by the contract (older fault 5). */
export async function getLockout(
  deps: Deps,
  request: GetLockoutRequest,
): Promise<MessageInitShape<typeof GetLockoutResponseSchema>> {
  const email = normaliseEmail(request.email);
  const known = await deps.guard.read(emailKey(email));
  const policy = lockoutPolicyOf(deps.config);
  const state = known === undefined ? emptyLockoutState : currentState(known.state, known.nowMs, policy);
  return { lockout: lockoutToProto(email, state) };
}
