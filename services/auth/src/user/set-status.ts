import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SetStatusRequest, SetStatusResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { endSessions } from '../session/end-sessions.ts';
import { guardedUser, userAfter } from './guard-act.ts';
import { requireActor } from './require-actor.ts';
import { statusFromProto, userToProto } from './user-proto.ts';
import { setUserStatus } from './user-store.ts';

/**
 * Suspends, with every session of the user, or takes it back (older fault 33). Admin alone may call; without an
 * administrator who acts it may only suspend, which it does for an anomaly (S7.2).
 */
export async function setStatus(
  deps: Deps,
  request: SetStatusRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetStatusResponseSchema>> {
  const { userId, actorId, reason } = request;
  const status = statusFromProto(request.status);
  const isBySystem = actorId === '' && status === 'SUSPENDED' && call.principal === undefined;
  const act = isBySystem ? actOf(call) : await requireActor(deps, call, actorId);
  const outcome = await deps.database.transaction(act, async (tx) => {
    const before = await guardedUser(tx, { userId, actorId, act: status === 'SUSPENDED' ? 'suspend' : 'other' });
    if (before.status === status) return { user: before, revocations: [] };
    await setUserStatus(tx, userId, status);
    const ended = status === 'SUSPENDED' ? await endSessions(tx, deps, userId, { reason: 'suspended' }) : undefined;
    await appendEvent(tx, act, {
      action: 'USER_STATUS_CHANGED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { from: before.status, to: status, reason },
    });
    return { user: await userAfter(tx, userId), revocations: ended?.revocations ?? [] };
  });
  await deps.denylist.apply(outcome.revocations);
  return { user: userToProto(outcome.user) };
}
