import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateUserRequest, CreateUserResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { requireUser, type UserDeps } from './user-client.ts';

/** Makes no session and sets no password: the person is invited (older fault 35). */
export async function createUser(
  { auth }: UserDeps,
  request: CreateUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof CreateUserResponseSchema>> {
  const { email, name, role } = request;
  const { user } = await auth.createUser(
    { email, name, role, actorId: requirePrincipal(call).userId },
    asService(call),
  );
  return { user: requireUser(user) };
}
