import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RevokeOtherSessionsRequest,
  RevokeOtherSessionsResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { endSessions } from './end-sessions.ts';

export async function revokeOtherSessions(
  deps: Deps,
  _request: RevokeOtherSessionsRequest,
  call: Call,
): Promise<MessageInitShape<typeof RevokeOtherSessionsResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const act = actOf(call);
  const { count, revocations } = await deps.database.transaction(act, async (tx) => {
    const ended = await endSessions(tx, deps, userId, { reason: 'owner', exceptId: sessionId });
    await appendEvent(tx, act, {
      action: 'SESSION_REVOKED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { sessions: String(ended.count), kept: sessionId },
    });
    return ended;
  });
  await deps.denylist.apply(revocations);
  return { revokedCount: count };
}
