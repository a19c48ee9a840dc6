import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListUsersRequest, ListUsersResponseSchema } from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call } from '@strongroom/platform/rpc';
import type { UserDeps } from './user-client.ts';

/** Auth's page tokens are passed through: they are bound to the same filter there. */
export async function listUsers(
  { auth }: UserDeps,
  request: ListUsersRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListUsersResponseSchema>> {
  const { role, status, search, pageSize, pageToken, orderBy } = request;
  const { users, nextPageToken } = await auth.getUsers(
    { role, status, search, pageSize, pageToken, orderBy },
    asService(call),
  );
  return { users, nextPageToken };
}
