import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EnrollTotpRequest, EnrollTotpResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { lockUser } from '../user/user-store.ts';
import { setPendingSeed } from './mfa-store.ts';
import { describeEnrolment, generateSeed } from './totp.ts';

/** Time to find the telephone and scan. */
const pendingLifeS = 900;

/** A new seed waits for its proof; the one in use, if there is one, goes on until then. */
export async function enrollTotp(
  deps: Deps,
  _request: EnrollTotpRequest,
  call: Call,
): Promise<MessageInitShape<typeof EnrollTotpResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const seed = generateSeed();
  const sealed = deps.cipher.seal(seed, { table: 'totp_factors', column: 'pending_seed', row: userId });
  const user = await deps.database.transaction(actOf(call), async (tx) => {
    const current = await lockUser(tx, userId);
    if (current === undefined || current.email === null) throw errors.USER_NOT_FOUND();
    await setPendingSeed(tx, userId, sealed, pendingLifeS);
    return current;
  });
  return describeEnrolment(seed, deps.config.MFA_ISSUER, user.email ?? '');
}
