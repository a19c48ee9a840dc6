import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ResetPasswordRequest,
  ResetPasswordResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { revokeKnownDevices } from '../lockout/known-device-store.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import { peekMessageToken, useMessageToken } from '../user/message-token.ts';
import { findUser, lockUser, setEmailVerified, setUserPassword } from '../user/user-store.ts';
import { requireGoodPassword } from './require-password.ts';

const purposes = ['password-reset', 'invitation'] as const;

/** A second factor stays as it is: the next sign-in asks for it (ASVS V6.4.3). Opens no session (V7.6.2). */
export async function resetPassword(
  deps: Deps,
  { token, newPassword }: ResetPasswordRequest,
  call: Call,
): Promise<MessageInitShape<typeof ResetPasswordResponseSchema>> {
  const userId = await peekMessageToken(deps.database, token, purposes);
  const user = userId === undefined ? undefined : await findUser(deps.database, userId);
  if (user === undefined || user.email === null) throw errors.MESSAGE_TOKEN_INVALID();
  // Judged before the token is used: a password that breaks a rule must not cost the link.
  await requireGoodPassword(deps, 'new_password', newPassword, { email: user.email, name: user.name }, call.signal);
  const passwordHash = await deps.hasher.hash(newPassword, call.signal);
  const act = actAs(call, user.id);
  const ended = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, user.id);
    const purpose = await useMessageToken(tx, current, token, purposes);
    if (current?.status !== 'ACTIVE' || purpose === undefined) return undefined;
    await setUserPassword(tx, user.id, passwordHash, { changeRequired: false });
    // The message reached its address: that is what verification proves.
    await setEmailVerified(tx, user.id);
    await revokeKnownDevices(tx, user.id);
    const sessions = await endSessions(tx, deps, user.id, { reason: 'password-reset' });
    await sendNotice(tx, deps, current, 'password-changed', { ipAddress: act.ipAddress });
    await appendEvent(tx, act, {
      action: 'USER_PASSWORD_CHANGED',
      resourceType: 'user',
      resourceId: user.id,
      subjectId: user.id,
      details: { by: purpose, sessionsEnded: String(sessions.count) },
    });
    return sessions;
  });
  if (ended === undefined) throw errors.MESSAGE_TOKEN_INVALID();
  await failpoint('auth.reset-password.after-commit');
  await deps.denylist.apply(ended.revocations);
  return {};
}
