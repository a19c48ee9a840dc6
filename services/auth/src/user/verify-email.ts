import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VerifyEmailRequest, VerifyEmailResponseSchema } from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import { isEmailVerificationRequired } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { verifyOwnPassword } from '../password/verify-own-password.ts';
import { peekMessageToken, useMessageToken } from './message-token.ts';
import { findUser, lockUser, setEmailVerified } from './user-store.ts';

const purposes = ['verify-email'] as const;

/**
 * Proves the address that the message went to: a token for an address left since proves nothing. Opens no session.
 *
 * With EMAIL_VERIFICATION=required the password is asked for too. Anybody can register somebody else's address with a
 * password of his own; were the owner's click enough, it would open the account for him (account pre-hijacking, Sudhodanan
 * and Paverd 2022). An owner who doesn't know the password resets it, which proves the address as well.
 */
export async function verifyEmail(
  deps: Deps,
  { token, password }: VerifyEmailRequest,
  call: Call,
): Promise<MessageInitShape<typeof VerifyEmailResponseSchema>> {
  const userId = await peekMessageToken(deps.database, token, purposes);
  const user = userId === undefined ? undefined : await findUser(deps.database, userId);
  if (user === undefined) throw errors.MESSAGE_TOKEN_INVALID();
  const act = actAs(call, user.id);
  const isPasswordNeeded = isEmailVerificationRequired(deps.config);
  // Judged before the token is used: a slip must not cost the link.
  if (isPasswordNeeded) await verifyOwnPassword(deps, call, user, requirePassword(password));
  const isProven = await deps.database.transaction(act, async (tx) => {
    const current = await lockUser(tx, user.id);
    const purpose = await useMessageToken(tx, current, token, purposes);
    // Changed while it was being checked: what was proven above is proven no more.
    const isStillProven = !isPasswordNeeded || current?.passwordHash === user.passwordHash;
    if (purpose === undefined || !isStillProven) return false;
    if (!(await setEmailVerified(tx, user.id))) return true;
    await appendEvent(tx, act, {
      action: 'USER_UPDATED',
      resourceType: 'user',
      resourceId: user.id,
      subjectId: user.id,
      details: { changed: 'email_verified' },
    });
    return true;
  });
  if (!isProven) throw errors.MESSAGE_TOKEN_INVALID();
  return {};
}

function requirePassword(password: string | undefined): string {
  if (password !== undefined) return password;
  const violation = { field: 'password', rule: 'password.required', message: 'must be that of the account' };
  throw commonErrors.VALIDATION_FAILED({ violations: [violation] });
}
