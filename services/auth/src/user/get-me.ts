import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetMeRequest, GetMeResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { userToProto } from './user-proto.ts';
import { findUser } from './user-store.ts';

export async function getMe(
  deps: Deps,
  _request: GetMeRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetMeResponseSchema>> {
  const user = await findUser(deps.database, requirePrincipal(call).userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  return { user: userToProto(user) };
}
