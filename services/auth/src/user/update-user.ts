import type { MessageInitShape } from '@bufbuild/protobuf';
import type { UpdateUserRequest, UpdateUserResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import { guardedUser, userAfter } from './guard-act.ts';
import { requireActor } from './require-actor.ts';
import { sendVerification } from './send-verification.ts';
import { etagOf, normaliseEmail } from './user.ts';
import { userToProto } from './user-proto.ts';
import { setUserDetails } from './user-store.ts';

/**
 * Name and address, in auth, which owns them (older fault 32). A new address is unproven and ends the sessions; the older one is
 * told, for whoever reads the new one may not be the owner (ASVS V6.3.7).
 */
export async function updateUser(
  deps: Deps,
  request: UpdateUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof UpdateUserResponseSchema>> {
  const act = await requireActor(deps, call, request.actorId);
  const { userId } = request;
  const outcome = await deps.database.transaction(act, async (tx) => {
    const before = await guardedUser(tx, { userId, actorId: request.actorId, act: 'other' });
    if (request.etag !== undefined && request.etag !== etagOf(before)) throw commonErrors.ETAG_MISMATCH();
    const email = request.email === undefined ? (before.email ?? '') : normaliseEmail(request.email);
    const name = request.name ?? before.name;
    const isMoved = email !== before.email;
    const emailVerified = isMoved ? false : before.emailVerified;
    if (!(await setUserDetails(tx, userId, { name, email, emailVerified }))) throw errors.EMAIL_EXISTS();
    const ended = isMoved ? await endSessions(tx, deps, userId, { reason: 'email-changed' }) : undefined;
    const user = await userAfter(tx, userId);
    if (isMoved) {
      await sendNotice(tx, deps, before, 'email-changed');
      await sendVerification(tx, deps, user);
    }
    const changed = [...(isMoved ? ['email'] : []), ...(name === before.name ? [] : ['name'])];
    await appendEvent(tx, act, {
      action: 'USER_UPDATED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { changed: changed.join(',') },
    });
    return { user, revocations: ended?.revocations ?? [] };
  });
  await deps.denylist.apply(outcome.revocations);
  return { user: userToProto(outcome.user) };
}
