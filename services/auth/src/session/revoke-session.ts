import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RevokeSessionRequest,
  RevokeSessionResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { endSession } from './end-sessions.ts';

/** Another person's session is answered like one that isn't there (ASVS V8.2.2). */
export async function revokeSession(
  deps: Deps,
  { id }: RevokeSessionRequest,
  call: Call,
): Promise<MessageInitShape<typeof RevokeSessionResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const revocations = await deps.database.transaction(act, async (tx) => {
    const ended = await endSession(tx, deps, { userId, id }, 'owner');
    if (ended === undefined) return undefined;
    await appendEvent(tx, act, {
      action: 'SESSION_REVOKED',
      resourceType: 'session',
      resourceId: id,
      subjectId: userId,
    });
    return ended;
  });
  if (revocations === undefined) throw errors.SESSION_NOT_FOUND();
  await deps.denylist.apply(revocations);
  return {};
}
