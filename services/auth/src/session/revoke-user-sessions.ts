import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RevokeUserSessionsRequest,
  RevokeUserSessionsResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findUser } from '../user/user-store.ts';
import { endSessions } from './end-sessions.ts';

/** ASVS V7.4.5: an administrator ends every session of a user, by way of admin. */
export async function revokeUserSessions(
  deps: Deps,
  { userId }: RevokeUserSessionsRequest,
  call: Call,
): Promise<MessageInitShape<typeof RevokeUserSessionsResponseSchema>> {
  const act = actOf(call);
  const ended = await deps.database.transaction(act, async (tx) => {
    if ((await findUser(tx, userId)) === undefined) return undefined;
    const sessions = await endSessions(tx, deps, userId, { reason: 'admin' });
    await appendEvent(tx, act, {
      action: 'SESSION_REVOKED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { sessions: String(sessions.count) },
    });
    return sessions;
  });
  if (ended === undefined) throw errors.USER_NOT_FOUND();
  await deps.denylist.apply(ended.revocations);
  return { revokedCount: ended.count };
}
