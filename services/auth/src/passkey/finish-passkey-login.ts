import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  FinishPasskeyLoginRequest,
  FinishPasskeyLoginResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { isEmailVerificationRequired } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { acceptPasskey } from '../mfa/second-factor.ts';
import { finishSignIn } from '../session/finish-sign-in.ts';
import { keyThumbprintOfProof } from '../session/require-proof.ts';
import { lockUser } from '../user/user-store.ts';
import { challengeIdHash, credentialIdOf } from './passkey.ts';
import { findPasskey, takePasskeyChallenge } from './passkey-store.ts';

/** Signs in with a passkey alone: possession and, because user verification is required, a second factor in one. */
export async function finishPasskeyLogin(
  deps: Deps,
  { challengeId, responseJson }: FinishPasskeyLoginRequest,
  call: Call,
): Promise<MessageInitShape<typeof FinishPasskeyLoginResponseSchema>> {
  const keyThumbprint = await keyThumbprintOfProof(deps, call);
  const act = actOf(call);
  const opened = await deps.database.transaction(act, async (tx) => {
    const ours = await takePasskeyChallenge(tx, challengeIdHash(challengeId), 'login');
    const credentialId = credentialIdOf(responseJson);
    const passkey = credentialId === undefined ? undefined : await findPasskey(tx, credentialId);
    const user = passkey === undefined ? undefined : await lockUser(tx, passkey.userId);
    const isUsable = user?.status === 'ACTIVE' && (user.emailVerified || !isEmailVerificationRequired(deps.config));
    const isRight =
      isUsable && user !== undefined && (await acceptPasskey(tx, deps, user.id, ours?.challenge, responseJson));
    if (user !== undefined && isRight) {
      // A passkey can't be guessed, so there is no counter that a known device would be worth.
      const origin = { keyThumbprint, knownDeviceId: undefined, failuresBefore: 0 };
      return finishSignIn(tx, deps, call, user, ['hwk', 'mfa'], origin);
    }
    await appendEvent(tx, act, {
      action: 'USER_LOGIN_FAILED',
      resourceType: 'user',
      resourceId: user?.id ?? '',
      subjectId: user?.id,
      details: { reason: ours === undefined ? 'passkey-challenge' : 'passkey', path: 'passkey' },
    });
    return undefined;
  });
  const outcome = opened === undefined ? 'failed' : 'succeeded';
  deps.metrics.increment('auth_login_attempts_total', { outcome });
  if (opened === undefined) throw errors.PASSKEY_INVALID();
  await deps.denylist.apply(opened.revocations);
  return { tokens: opened.tokens };
}
