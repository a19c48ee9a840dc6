import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RemovePasskeyRequest, RemovePasskeyResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { mfaRequiredRolesOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import { findUser, lockUser } from '../user/user-store.ts';
import { deletePasskey } from './passkey-store.ts';

/** ASVS V6.5.6: a lost authenticator is refused at once, and sessions that it may have opened end. */
export async function removePasskey(
  deps: Deps,
  { id }: RemovePasskeyRequest,
  call: Call,
): Promise<MessageInitShape<typeof RemovePasskeyResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const act = actOf(call);
  const ended = await deps.database.transaction(act, async (tx) => {
    const user = await lockUser(tx, userId);
    if (user === undefined) throw errors.USER_NOT_FOUND();
    if (!(await deletePasskey(tx, userId, id))) throw errors.PASSKEY_NOT_FOUND();
    const isLast = (await findUser(tx, userId))?.mfaEnabled === false;
    if (isLast && mfaRequiredRolesOf(deps.config).includes(user.role)) throw errors.MFA_REQUIRED_BY_ROLE();
    await appendEvent(tx, act, {
      action: 'MFA_DISABLED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { factor: 'passkey', passkey: id },
    });
    await sendNotice(tx, deps, user, 'mfa-disabled', { ipAddress: act.ipAddress });
    return endSessions(tx, deps, userId, { reason: 'mfa-changed', exceptId: sessionId });
  });
  await deps.denylist.apply(ended.revocations);
  return {};
}
