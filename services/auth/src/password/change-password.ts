import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ChangePasswordRequest,
  ChangePasswordResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import { findUser, lockUser, setUserPassword } from '../user/user-store.ts';
import { isSamePassword } from './password-hash.ts';
import { requireGoodPassword } from './require-password.ts';
import { verifyOwnPassword } from './verify-own-password.ts';

/** S1.2e: sets a new password and ends every session of the user, the caller's too unless it asks to keep it. */
export async function changePassword(
  deps: Deps,
  request: ChangePasswordRequest,
  call: Call,
): Promise<MessageInitShape<typeof ChangePasswordResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const user = await findUser(deps.database, userId);
  if (user === undefined || user.email === null) throw errors.USER_NOT_FOUND();
  await verifyOwnPassword(deps, call, user, request.currentPassword);
  const context = { email: user.email, name: user.name };
  await requireGoodPassword(deps, 'new_password', request.newPassword, context, call.signal);
  if (isSamePassword(request.currentPassword, request.newPassword)) {
    const violation = { field: 'new_password', rule: 'password.same', message: 'must differ from the old one' };
    throw commonErrors.VALIDATION_FAILED({ violations: [violation] });
  }
  const passwordHash = await deps.hasher.hash(request.newPassword, call.signal);

  const act = actOf(call);
  const ended = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, userId);
    // Another change came first: what was proven above is proven no more.
    if (current?.passwordHash !== user.passwordHash || current.status !== 'ACTIVE') return undefined;
    await setUserPassword(tx, userId, passwordHash, { changeRequired: false });
    const exceptId = request.keepSession ? sessionId : undefined;
    const sessions = await endSessions(tx, deps, userId, { reason: 'password-changed', exceptId });
    await sendNotice(tx, deps, current, 'password-changed', { ipAddress: act.ipAddress });
    await appendEvent(tx, act, {
      action: 'USER_PASSWORD_CHANGED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { sessionsEnded: String(sessions.count), sessionKept: String(request.keepSession) },
    });
    await failpoint('auth.change-password.before-commit');
    return sessions;
  });
  if (ended === undefined) throw errors.INVALID_PASSWORD();
  await failpoint('auth.change-password.after-commit');
  await deps.denylist.apply(ended.revocations);
  return {};
}
