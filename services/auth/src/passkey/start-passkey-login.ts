import { randomBytes } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  StartPasskeyLoginRequest,
  StartPasskeyLoginResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { authenticationOptions, challengeIdHash, passkeyTimeoutS } from './passkey.ts';
import { insertPasskeyChallenge } from './passkey-store.ts';
import { relyingPartyOf } from './relying-party.ts';

const challengeIdBytes = 32;

/** The same for everyone: the authenticator knows whose passkeys it holds, so nobody needs to be named (S1.3d). */
export async function startPasskeyLogin(
  deps: Deps,
  _request: StartPasskeyLoginRequest,
  call: Call,
): Promise<MessageInitShape<typeof StartPasskeyLoginResponseSchema>> {
  const challengeId = randomBytes(challengeIdBytes).toString('base64url');
  const { challenge, json } = await authenticationOptions(relyingPartyOf(deps), []);
  await deps.database.transaction(actOf(call), (tx) =>
    insertPasskeyChallenge(tx, {
      idHash: challengeIdHash(challengeId),
      purpose: 'login',
      userId: null,
      challenge,
      lifeS: passkeyTimeoutS,
    }),
  );
  return { challengeId, optionsJson: json };
}
