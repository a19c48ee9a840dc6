import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetUsersRequest, GetUsersResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { roleFromProto, statusFromProto, userToProto } from './user-proto.ts';
import { countActiveAdmins, findUsers, listUsers, type UserQuery } from './user-store.ts';

/** Accounts by id, erased ones too (their id is all there is), or page by page. */
export async function getUsers(
  deps: Deps,
  request: GetUsersRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetUsersResponseSchema>> {
  const activeAdminCount = await countActiveAdmins(deps.database);
  if (request.ids.length > 0) {
    const users = await findUsers(deps.database, request.ids);
    return { users: users.map(userToProto), activeAdminCount };
  }
  const [column = '', direction] = (request.orderBy || 'create_time').replace('createTime', 'create_time').split(' ');
  const filter = {
    role: request.role === undefined ? undefined : roleFromProto(request.role),
    status: request.status === undefined ? undefined : statusFromProto(request.status),
    search: request.search,
    orderBy: column as UserQuery['orderBy'],
    descending: direction === 'desc',
  };
  const scope = ['users', call.caller ?? '', JSON.stringify(filter)];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listUsers(deps.database, filter, page);
  const { rows, nextPageToken } = page.cut(found, ({ sortValue, id }) => [sortValue, id]);
  return { users: rows.map(userToProto), nextPageToken, activeAdminCount };
}
