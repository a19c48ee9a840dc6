import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutAllRequest, LogoutAllResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { endSessions } from './end-sessions.ts';

export async function logoutAll(
  deps: Deps,
  _request: LogoutAllRequest,
  call: Call,
): Promise<MessageInitShape<typeof LogoutAllResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const { count, revocations } = await deps.database.transaction(act, async (tx) => {
    const ended = await endSessions(tx, deps, userId, { reason: 'logout-all' });
    await appendEvent(tx, act, {
      action: 'USER_LOGOUT',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { sessions: String(ended.count) },
    });
    return ended;
  });
  await deps.denylist.apply(revocations);
  return { revokedCount: count };
}
