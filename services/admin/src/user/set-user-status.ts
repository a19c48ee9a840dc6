import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SetUserStatusRequest, SetUserStatusResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { requireUser, type UserDeps } from './user-client.ts';

/** Suspends or re-activates (older fault 33: it answered 501). */
export async function setUserStatus(
  { auth }: UserDeps,
  request: SetUserStatusRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetUserStatusResponseSchema>> {
  const { id, status, reason } = request;
  const { user } = await auth.setStatus(
    { userId: id, status, reason, actorId: requirePrincipal(call).userId },
    asService(call),
  );
  return { user: requireUser(user) };
}
