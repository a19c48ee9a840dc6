import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  StartPasskeyRegistrationRequest,
  StartPasskeyRegistrationResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findUser } from '../user/user-store.ts';
import { challengeIdHash, passkeysMax, passkeyTimeoutS, registrationOptions } from './passkey.ts';
import { insertPasskeyChallenge, listPasskeys } from './passkey-store.ts';
import { relyingPartyOf } from './relying-party.ts';

/** The challenge is found again by itself: it is random, and the browser's answer holds it. */
export async function startPasskeyRegistration(
  deps: Deps,
  _request: StartPasskeyRegistrationRequest,
  call: Call,
): Promise<MessageInitShape<typeof StartPasskeyRegistrationResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const user = await findUser(deps.database, userId);
  if (user === undefined || user.email === null) throw errors.USER_NOT_FOUND();
  const known = await listPasskeys(deps.database, userId);
  if (known.length >= passkeysMax) throw errors.PASSKEY_LIMIT();
  const person = { id: userId, email: user.email, name: user.name };
  const { challenge, json } = await registrationOptions(relyingPartyOf(deps), person, known);
  await deps.database.transaction(actOf(call), (tx) =>
    insertPasskeyChallenge(tx, {
      idHash: challengeIdHash(challenge),
      purpose: 'register',
      userId,
      challenge,
      lifeS: passkeyTimeoutS,
    }),
  );
  return { optionsJson: json };
}
