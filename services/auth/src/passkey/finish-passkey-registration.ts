import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  FinishPasskeyRegistrationRequest,
  FinishPasskeyRegistrationResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { enableFactor } from '../mfa/enable-factor.ts';
import { lockUser } from '../user/user-store.ts';
import { challengeIdHash, challengeOf, passkeysMax, verifyRegistration } from './passkey.ts';
import { passkeyToProto } from './passkey-proto.ts';
import { insertPasskey, listPasskeys, takePasskeyChallenge } from './passkey-store.ts';
import { relyingPartyOf } from './relying-party.ts';

/** Registers what the authenticator made for our challenge, which counts once and for this user alone. */
export async function finishPasskeyRegistration(
  deps: Deps,
  { responseJson, name }: FinishPasskeyRegistrationRequest,
  call: Call,
): Promise<MessageInitShape<typeof FinishPasskeyRegistrationResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const done = await deps.database.transaction(act, async (tx) => {
    const user = await lockUser(tx, userId);
    const sent = challengeOf(responseJson);
    const ours = sent === undefined ? undefined : await takePasskeyChallenge(tx, challengeIdHash(sent), 'register');
    if (user === undefined || ours === undefined || ours.userId !== userId) return undefined;
    const credential = await verifyRegistration(relyingPartyOf(deps), ours.challenge, responseJson);
    if (credential === undefined) return undefined;
    if ((await listPasskeys(tx, userId)).length >= passkeysMax) throw errors.PASSKEY_LIMIT();
    const signCount = BigInt(credential.signCount);
    const passkey = await insertPasskey(tx, { ...credential, id: uuidv7(), userId, name, signCount });
    if (passkey === undefined) throw errors.PASSKEY_EXISTS();
    await appendEvent(tx, act, {
      action: 'MFA_ENABLED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { factor: 'passkey', passkey: passkey.id },
    });
    return { passkey, ...(await enableFactor(tx, deps, call, user, { method: 'hwk', replaceCodes: false })) };
  });
  // The challenge stays used: the transaction that found the answer wrong has committed.
  if (done === undefined) throw errors.PASSKEY_INVALID();
  await deps.denylist.apply(done.revocations);
  return { passkey: passkeyToProto(done.passkey), backupCodes: done.backupCodes };
}
