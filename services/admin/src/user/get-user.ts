import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetUserRequest, GetUserResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call } from '@strongroom/platform/rpc';
import { errors } from '../errors.ts';
import type { UserDeps } from './user-client.ts';

export async function getUser(
  { auth }: UserDeps,
  request: GetUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetUserResponseSchema>> {
  const { users } = await auth.getUsers({ ids: [request.id] }, asService(call));
  const [user] = users;
  if (!user) throw errors.USER_NOT_FOUND();
  return { user };
}
