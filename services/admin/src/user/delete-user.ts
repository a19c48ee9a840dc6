import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DeleteUserRequest, DeleteUserResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { UserDeps } from './user-client.ts';

/** Auth erases the account: nobody is gone here who still has access there (older fault 32). */
export async function deleteUser(
  { auth }: UserDeps,
  request: DeleteUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof DeleteUserResponseSchema>> {
  const { id, reason } = request;
  await auth.deleteUser({ userId: id, reason, actorId: requirePrincipal(call).userId }, asService(call));
  return {};
}
