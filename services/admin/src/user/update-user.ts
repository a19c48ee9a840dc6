import type { MessageInitShape } from '@bufbuild/protobuf';
import type { UpdateUserRequest, UpdateUserResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { requireUser, type UserDeps } from './user-client.ts';

/** Changes name or e-mail address; an address changed here is unverified again. */
export async function updateUser(
  { auth }: UserDeps,
  request: UpdateUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof UpdateUserResponseSchema>> {
  const { id, name, email, etag } = request;
  const { user } = await auth.updateUser(
    { userId: id, name, email, etag, actorId: requirePrincipal(call).userId },
    asService(call),
  );
  return { user: requireUser(user) };
}
