import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import { equalConstantTime, sha256 } from '../crypto/index.ts';

/** What a proof must fit (RFC 9449 section 4.3). */
export interface ProofExpectation {
  readonly method: string;
  /** The path that the proof's htu must have, and the origins it may have. */
  readonly paths: readonly string[];
  readonly origins: readonly string[];
  readonly nowMs: number;
  /** For a proof beside an access token: claim ath. */
  readonly accessToken?: string | undefined;
}

export interface DpopProof {
  /** RFC 7638 thumbprint of the key that made it: claim cnf.jkt. */
  readonly thumbprint: string;
  /** By this it counts once (RFC 9449 section 11.1), for as long as it may be fresh (dpopLifeS). */
  readonly replayHash: Buffer;
}

/** Asymmetric and widely had by browsers; a key of another kind than the algorithm's is refused by the library. */
const algorithms = ['ES256', 'EdDSA'];
/** RFC 9449 section 11.1: short, and as wide as the clocks of honest clients are wrong. */
const ageMaxS = 60;
const skewMaxS = 5;
export const dpopLifeS = ageMaxS + skewMaxS;
const proofLengthMax = 4_096;
const proofIdLengthMax = 256;

/** The proof of a DPoP header, or undefined for one that breaks any rule of RFC 9449 section 4.3. */
export async function verifyDpopProof(header: string, expected: ProofExpectation): Promise<DpopProof | undefined> {
  if (header.length > proofLengthMax) return undefined;
  const verified = await jwtVerify(header, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms,
    maxTokenAge: ageMaxS,
    clockTolerance: skewMaxS,
    currentDate: new Date(expected.nowMs),
    requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    // Malformed, forged and stale proofs are alike to the caller: none.
  }).catch(() => undefined);
  const jwk = verified?.protectedHeader.jwk;
  if (verified === undefined || jwk === undefined) return undefined;
  const { jti } = verified.payload;
  if (typeof jti !== 'string' || jti === '' || jti.length > proofIdLengthMax) return undefined;
  if (!fitsRequest(verified.payload, expected)) return undefined;
  const thumbprint = await calculateJwkThumbprint(jwk);
  return { thumbprint, replayHash: sha256(`dpop\n${thumbprint}\n${jti}`) };
}

function fitsRequest({ htm, htu, ath }: JWTPayload, expected: ProofExpectation): boolean {
  if (htm !== expected.method || typeof htu !== 'string' || !URL.canParse(htu)) return false;
  const { origin, pathname } = new URL(htu);
  if (!expected.origins.includes(origin) || !expected.paths.includes(pathname)) return false;
  if (expected.accessToken === undefined) return true;
  return typeof ath === 'string' && equalConstantTime(ath, sha256(expected.accessToken).toString('base64url'));
}

/**
 * The key that a token says it is bound to, before anyone has verified the token. Enough to ask for the proof: a token
 * that lies about it is refused by whoever verifies it.
 */
export function claimedKeyThumbprint(token: string): string | undefined {
  try {
    const jkt = (decodeJwt(token)['cnf'] as { jkt?: unknown } | undefined)?.jkt;
    return typeof jkt === 'string' ? jkt : undefined;
  } catch {
    // No token at all: refused where it is verified, on record.
    return undefined;
  }
}
