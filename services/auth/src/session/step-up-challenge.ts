import { commonErrors } from '@strongroom/platform/errors';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { authenticationOptions, challengeIdHash, passkeyTimeoutS } from '../passkey/passkey.ts';
import { insertPasskeyChallenge, listPasskeys } from '../passkey/passkey-store.ts';
import { relyingPartyOf } from '../passkey/relying-party.ts';
import type { UserRow } from '../user/user.ts';

/** The error that asks for a step-up: says what will do, with a challenge for the user's passkeys if there are any. */
export async function stepUpChallenge(deps: Deps, call: Call, user: UserRow): Promise<Error> {
  const required = user.mfaEnabled ? 'mfa' : 'password';
  const passkeys = await listPasskeys(deps.database, user.id);
  if (passkeys.length === 0) return commonErrors.STEP_UP_REQUIRED({ metadata: { required } });
  const { challenge, json } = await authenticationOptions(relyingPartyOf(deps), passkeys);
  await deps.database.transaction(actOf(call), (tx) =>
    insertPasskeyChallenge(tx, {
      idHash: challengeIdHash(challenge),
      purpose: 'step-up',
      userId: user.id,
      challenge,
      lifeS: passkeyTimeoutS,
    }),
  );
  return commonErrors.STEP_UP_REQUIRED({ metadata: { required, passkeyOptionsJson: json } });
}
