import { createSigner } from 'fast-jwt';

/** S3.1a. The role is re-read at each issue, and revocation is immediate, so this only bounds how long keys must verify. */
export const accessTokenLifeS = 900;

/** Claims of an access token: ids and facts that services decide by; nothing that describes a person (ASVS V14.2). */
export interface AccessTokenFacts {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  readonly role: string;
  readonly authenticationMethods: readonly string[];
  readonly authenticationTimeS: number;
  readonly issueTimeS: number;
  /** Claim pcr: refused everywhere but where the contract allows it. */
  readonly isRestricted: boolean;
  /** Claim mfe: a second factor is enrolled. */
  readonly isSecondFactorEnrolled: boolean;
  /** Claim cnf.jkt (RFC 9449 section 6.1). */
  readonly keyThumbprint?: string | undefined;
}

export interface AccessTokenSettings {
  readonly issuer: string;
  readonly audience: string;
}

export type SignClaims = (claims: Record<string, unknown>) => string;

/** A signer pinned to one key and one algorithm; the type keeps other tokens of ours from being taken for it (RFC 9068). */
export function createClaimsSigner(key: { kid: string; algorithm: 'EdDSA' | 'HS256'; secret: string }): SignClaims {
  const sign = createSigner({
    key: key.secret,
    algorithm: key.algorithm,
    kid: key.kid,
    header: { alg: key.algorithm, typ: 'at+jwt' },
  });
  return (claims) => sign(claims);
}

export function accessTokenClaims(facts: AccessTokenFacts, settings: AccessTokenSettings): Record<string, unknown> {
  return {
    iss: settings.issuer,
    aud: settings.audience,
    sub: facts.userId,
    sid: facts.sessionId,
    jti: facts.tokenId,
    role: facts.role,
    amr: facts.authenticationMethods,
    auth_time: facts.authenticationTimeS,
    iat: facts.issueTimeS,
    exp: facts.issueTimeS + accessTokenLifeS,
    pcr: facts.isRestricted,
    mfe: facts.isSecondFactorEnrolled,
    ...(facts.keyThumbprint === undefined ? {} : { cnf: { jkt: facts.keyThumbprint } }),
  };
}
