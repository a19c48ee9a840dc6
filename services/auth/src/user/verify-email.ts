import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VerifyEmailRequest, VerifyEmailResponseSchema } from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { useMessageToken } from './message-token.ts';
import { emailHash } from './user.ts';
import { lockUser, setEmailVerified } from './user-store.ts';

/** Proves the address that the message went to: a token for an address left since proves nothing. Opens no session. */
export async function verifyEmail(
  deps: Deps,
  { token }: VerifyEmailRequest,
  call: Call,
): Promise<MessageInitShape<typeof VerifyEmailResponseSchema>> {
  const isProven = await deps.database.transaction(actOf(call), async (tx) => {
    const used = await useMessageToken(tx, token, ['verify-email']);
    const user = used === undefined ? undefined : await lockUser(tx, used.userId);
    if (used === undefined || user?.email == null || !emailHash(user.email).equals(used.emailHash)) return false;
    if (!(await setEmailVerified(tx, user.id))) return true;
    await appendEvent(tx, actAs(call, user.id), {
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
