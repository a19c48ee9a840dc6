import { randomBytes } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { MfaChallengeSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { type Transaction, timestampToProto } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';
import { authenticationOptions, challengeIdHash } from '../passkey/passkey.ts';
import { listPasskeys } from '../passkey/passkey-store.ts';
import { relyingPartyOf } from '../passkey/relying-party.ts';
import type { SignInOrigin } from '../session/finish-sign-in.ts';
import type { UserRow } from '../user/user.ts';
import { countBackupCodes, findTotp, insertChallenge } from './mfa-store.ts';

/** ASVS V6.6.2: bound to one sign-in, random, short-lived. */
const challengeLifeS = 300;
/** Wrong answers after which a challenge is dead, beside the counter of the user (B-lockout). */
export const challengeFailuresMax = 5;
const challengeIdBytes = 32;

/** What stands between a right password and tokens; made in the transaction that accepted the password. */
export async function openChallenge(
  tx: Transaction,
  deps: Deps,
  user: UserRow,
  origin: SignInOrigin,
): Promise<MessageInitShape<typeof MfaChallengeSchema>> {
  const id = randomBytes(challengeIdBytes).toString('base64url');
  const passkeys = await listPasskeys(tx, user.id);
  const totp = await findTotp(tx, user.id);
  const passkeyOptions =
    passkeys.length === 0 ? undefined : await authenticationOptions(relyingPartyOf(deps), passkeys);
  const hasCodes = (await countBackupCodes(tx, user.id)) > 0;
  const methods = [
    ...(totp?.seed == null ? [] : ['totp']),
    ...(passkeyOptions === undefined ? [] : ['passkey']),
    ...(hasCodes ? ['backup_code'] : []),
  ];
  const expireTime = await insertChallenge(tx, {
    idHash: challengeIdHash(id),
    userId: user.id,
    passkeyChallenge: passkeyOptions?.challenge ?? null,
    keyThumbprint: origin.keyThumbprint ?? null,
    knownDeviceId: origin.knownDeviceId ?? null,
    failuresBefore: origin.failuresBefore,
    lifeS: challengeLifeS,
  });
  return { id, methods, expireTime: timestampToProto(expireTime), passkeyOptionsJson: passkeyOptions?.json ?? '' };
}
