import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RevokeUserSessionsRequest,
  RevokeUserSessionsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/user_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { UserDeps } from './user-client.ts';

/** Ends every session of a user; auth denies their tokens from the same moment. */
export async function revokeUserSessions(
  { auth }: UserDeps,
  request: RevokeUserSessionsRequest,
  call: Call,
): Promise<MessageInitShape<typeof RevokeUserSessionsResponseSchema>> {
  requirePrincipal(call);
  const { revokedCount } = await auth.revokeUserSessions({ userId: request.id }, asService(call));
  return { revokedCount };
}
