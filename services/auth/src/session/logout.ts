import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { endSession } from './end-sessions.ts';

/** Ends the caller's session alone: other devices stay signed in (older faults 9, 10). */
export async function logout(
  deps: Deps,
  _request: LogoutRequest,
  call: Call,
): Promise<MessageInitShape<typeof LogoutResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const act = actOf(call);
  const revocations = await deps.database.transaction(act, async (tx) => {
    const ended = await endSession(tx, deps, { userId, id: sessionId }, 'logout');
    if (ended === undefined) return [];
    await appendEvent(tx, act, {
      action: 'USER_LOGOUT',
      resourceType: 'session',
      resourceId: sessionId,
      subjectId: userId,
    });
    return ended;
  });
  await deps.denylist.apply(revocations);
  return {};
}
