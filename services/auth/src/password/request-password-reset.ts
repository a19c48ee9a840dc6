import { setTimeout as delay } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RequestPasswordResetRequest,
  RequestPasswordResetResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/password_pb.ts';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { requireCaptcha } from '../captcha/require-captcha.ts';
import type { Deps } from '../deps.ts';
import { sendNotice } from '../notices.ts';
import { createMessageToken, isMessageRecent } from '../user/message-token.ts';
import { linkOf } from '../user/send-verification.ts';
import { normaliseEmail } from '../user/user.ts';
import { findUserByEmailAddress } from '../user/user-store.ts';

const resendAfterS = 60;
const answerAfterMs = 100;

/**
 * The same answer for any address (S1.3d), and the same time: every answer waits until a fixed while after its start,
 * in which the few statements that a known address costs find room.
 */
export async function requestPasswordReset(
  deps: Deps,
  request: RequestPasswordResetRequest,
  call: Call,
): Promise<MessageInitShape<typeof RequestPasswordResetResponseSchema>> {
  const email = normaliseEmail(request.email);
  await requireCaptcha(deps, request.captcha, email);
  const end = delay(answerAfterMs);
  const act = actOf(call);
  await deps.database.transaction(act, async (tx) => {
    const user = await findUserByEmailAddress(tx, email);
    if (user === undefined || user.email === null || user.status !== 'ACTIVE') return;
    if (await isMessageRecent(tx, user.id, 'password-reset', resendAfterS)) return;
    const token = await createMessageToken(tx, { id: user.id, email: user.email }, 'password-reset');
    await sendNotice(tx, deps, user, 'password-reset', { token, link: linkOf(deps, 'password-reset', token) });
  });
  await end;
  return {};
}
