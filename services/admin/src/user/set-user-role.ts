import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SetUserRoleRequest, SetUserRoleResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { requireUser, type UserDeps } from './user-client.ts';

/** Ends every session of the user, so that no token with the old role is left (S1.2e). */
export async function setUserRole(
  { auth }: UserDeps,
  request: SetUserRoleRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetUserRoleResponseSchema>> {
  const { id, role, reason } = request;
  const { user } = await auth.setRole(
    { userId: id, role, reason, actorId: requirePrincipal(call).userId },
    asService(call),
  );
  return { user: requireUser(user) };
}
