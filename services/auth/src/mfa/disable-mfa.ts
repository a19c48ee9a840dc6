import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DisableMfaRequest, DisableMfaResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { mfaRequiredRolesOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { verifyOwnPassword } from '../password/verify-own-password.ts';
import { endSessions } from '../session/end-sessions.ts';
import { setSessionAuthentication } from '../session/session-store.ts';
import { findUser, lockUser } from '../user/user-store.ts';
import { removeFactors } from './mfa-store.ts';
import { verifyOwnCode } from './verify-own-code.ts';

/** Removes every second factor. The contract has asked for a fresh one; what is sent along is checked besides. */
export async function disableMfa(
  deps: Deps,
  { password, code }: DisableMfaRequest,
  call: Call,
): Promise<MessageInitShape<typeof DisableMfaResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const user = await findUser(deps.database, userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  if (!user.mfaEnabled) throw errors.MFA_NOT_ENROLLED();
  if (mfaRequiredRolesOf(deps.config).includes(user.role)) throw errors.MFA_REQUIRED_BY_ROLE();
  if (password !== undefined) await verifyOwnPassword(deps, call, user, password);
  if (code !== undefined) await verifyOwnCode(deps, call, user, code);
  const act = actOf(call);
  const ended = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, userId);
    if (current === undefined || !current.mfaEnabled) throw errors.MFA_NOT_ENROLLED();
    await removeFactors(tx, userId);
    await setSessionAuthentication(tx, sessionId, ['pwd']);
    const sessions = await endSessions(tx, deps, userId, { reason: 'mfa-changed', exceptId: sessionId });
    await sendNotice(tx, deps, current, 'mfa-disabled', { ipAddress: act.ipAddress });
    await appendEvent(tx, act, {
      action: 'MFA_DISABLED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { factor: 'all', sessionsEnded: String(sessions.count) },
    });
    return sessions;
  });
  await deps.denylist.apply(ended.revocations);
  return {};
}
