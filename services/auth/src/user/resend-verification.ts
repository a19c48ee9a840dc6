import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ResendVerificationRequest,
  ResendVerificationResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendVerification } from './send-verification.ts';
import { lockUser } from './user-store.ts';

export async function resendVerification(
  deps: Deps,
  _request: ResendVerificationRequest,
  call: Call,
): Promise<MessageInitShape<typeof ResendVerificationResponseSchema>> {
  const { userId } = requirePrincipal(call);
  await deps.database.transaction(actOf(call), async (tx) => {
    const user = await lockUser(tx, userId);
    if (user === undefined) throw errors.USER_NOT_FOUND();
    if (!user.emailVerified) await sendVerification(tx, deps, user);
  });
  return {};
}
