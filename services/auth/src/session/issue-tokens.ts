import { randomBytes } from 'node:crypto';
import { mfaRequiredRolesOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { accessTokenClaims, accessTokenLifeS } from '../secret/access-token.ts';
import type { UserRow } from '../user/user.ts';
import { accessTokenId, encodeRefreshToken } from './refresh-token.ts';
import type { SessionRow } from './session-store.ts';

export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

type Issuer = Pick<Deps, 'config' | 'signingKeys'>;

/**
 * The pair of a session's current generation. Nothing in it is random: the same generation gives the same pair, so
 * parallel refreshes with one token get equal answers (S1.2b). The token says 15 minutes from the rotation, also to one
 * who asks again within the grace.
 */
export function issueTokens(deps: Issuer, session: SessionRow, key: Uint8Array, user: UserRow): IssuedTokens {
  const { id: sessionId, generation } = session;
  const tokenId = accessTokenId(key, generation);
  return {
    accessToken: signAccessToken(deps, session, user, { tokenId, issueTimeS: session.rotateTimeS }),
    refreshToken: encodeRefreshToken(key, { sessionId, generation }),
    expiresIn: accessTokenLifeS,
  };
}

/** An access token beside the refresh token, after a step-up; issued when the database saw the step-up (F15). */
export function issueAccessToken(deps: Issuer, session: SessionRow, user: UserRow): string {
  const tokenId = randomBytes(16).toString('base64url');
  return signAccessToken(deps, session, user, { tokenId, issueTimeS: session.authenticationTimeS });
}

/** S7.1: a role that must have a second factor and hasn't got one may only enrol; so may nobody with an issued password. */
export function isRestricted(deps: Pick<Deps, 'config'>, user: UserRow): boolean {
  return user.passwordChangeRequired || isEnrolmentRequired(deps, user);
}

export function isEnrolmentRequired({ config }: Pick<Deps, 'config'>, user: UserRow): boolean {
  return !user.mfaEnabled && mfaRequiredRolesOf(config).includes(user.role);
}

function signAccessToken(
  deps: Issuer,
  session: SessionRow,
  user: UserRow,
  token: { readonly tokenId: string; readonly issueTimeS: number },
): string {
  const claims = accessTokenClaims(
    {
      userId: user.id,
      sessionId: session.id,
      role: user.role,
      authenticationMethods: session.authenticationMethods,
      authenticationTimeS: session.authenticationTimeS,
      isRestricted: isRestricted(deps, user),
      isSecondFactorEnrolled: user.mfaEnabled,
      keyThumbprint: session.keyThumbprint ?? undefined,
      ...token,
    },
    { issuer: deps.config.TOKEN_ISSUER, audience: deps.config.TOKEN_AUDIENCE },
  );
  return deps.signingKeys.sign(claims);
}
