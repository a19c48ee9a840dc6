import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DeleteUserRequest, DeleteUserResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type { Act } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { endSessions } from '../session/end-sessions.ts';
import { guardedUser } from './guard-act.ts';
import { requireActor, requireSamePerson } from './require-actor.ts';
import { eraseUser, findUser } from './user-store.ts';

/** Erases personal data and keeps the id. Deleting again is no error: EraseMe retries until all services have. */
export async function deleteUser(
  deps: Deps,
  request: DeleteUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof DeleteUserResponseSchema>> {
  const { userId, actorId, reason } = request;
  const act = await actorOf(deps, call, request);
  if ((await findUser(deps.database, userId))?.status === 'DELETED') return {};
  const revocations = await deps.database.transaction(act, async (tx) => {
    const isOwnErasure = call.caller === 'profile';
    const before = await guardedUser(tx, { userId, actorId, act: 'delete', isOwnErasure });
    const ended = await endSessions(tx, deps, userId, { reason: 'deleted' });
    await eraseUser(tx, userId);
    await appendEvent(tx, act, {
      action: 'USER_DELETED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { role: before.role, reason },
    });
    return ended.revocations;
  });
  await deps.denylist.apply(revocations);
  return {};
}

/** Profile speaks for people who erase themselves, and for nobody else; admin for administrators. */
async function actorOf(deps: Deps, call: Call, { userId, actorId }: DeleteUserRequest): Promise<Act> {
  if (call.caller !== 'profile') return requireActor(deps, call, actorId);
  requireSamePerson(call, actorId);
  if (actorId !== userId) throw commonErrors.FORBIDDEN();
  return actAs(call, actorId);
}
