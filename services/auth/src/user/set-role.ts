import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SetRoleRequest, SetRoleResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { endSessions } from '../session/end-sessions.ts';
import { guardedUser, userAfter } from './guard-act.ts';
import { requireActor } from './require-actor.ts';
import { roleFromProto, userToProto } from './user-proto.ts';
import { setUserRole } from './user-store.ts';

/** Effective at the very next call: every token of the user is refused from the commit on (older fault 7, V8.3.2). */
export async function setRole(
  deps: Deps,
  request: SetRoleRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetRoleResponseSchema>> {
  const act = await requireActor(deps, call, request.actorId);
  const { userId, actorId, reason } = request;
  const role = roleFromProto(request.role);
  const outcome = await deps.database.transaction(act, async (tx) => {
    const before = await guardedUser(tx, { userId, actorId, act: role === 'ADMIN' ? 'other' : 'demote' });
    if (before.role === role) return { user: before, revocations: [] };
    await setUserRole(tx, userId, role);
    const { revocations } = await endSessions(tx, deps, userId, { reason: 'role-changed' });
    await appendEvent(tx, act, {
      action: 'USER_ROLE_CHANGED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { from: before.role, to: role, reason },
    });
    return { user: await userAfter(tx, userId), revocations };
  });
  await deps.denylist.apply(outcome.revocations);
  return { user: userToProto(outcome.user) };
}
