import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalConstantTime, sha256 } from '@strongroom/platform/crypto';

/** What a proof must fit (RFC 9449 section 4.3). */
export interface DpopExpectation {
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
  /** By this it counts once (RFC 9449 section 11.1). */
  readonly replayHash: Buffer;
}

/** Proofs are accepted this long around their iat: network and clocks (F14), no more. */
export const dpopWindowS = 60;
const proofLengthMax = 4096;
const proofIdLengthMax = 128;
/** Asymmetric algorithms alone; what signs is pinned by the key's own type. */
const algorithms: Readonly<Record<string, { kty: string; crv: string; digest: 'sha256' | null }>> = {
  ES256: { kty: 'EC', crv: 'P-256', digest: 'sha256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', digest: null },
};

/** The proof of a header, or undefined for one that breaks any rule of RFC 9449 section 4.3. */
export function verifyDpopProof(header: string, expected: DpopExpectation): DpopProof | undefined {
  const parts = header.length > proofLengthMax ? [] : header.split('.');
  const [head, body, signature] = parts;
  if (parts.length !== 3 || !head || !body || !signature) return undefined;
  const fields = readJson(head);
  const claims = readJson(body);
  if (fields === undefined || claims === undefined) return undefined;
  const key = readKey(fields);
  if (key === undefined || !isSignedBy(key, `${head}.${body}`, signature)) return undefined;
  const { jti } = claims;
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > proofIdLengthMax) return undefined;
  if (!fitsRequest(claims, expected)) return undefined;
  return { thumbprint: key.thumbprint, replayHash: sha256(`dpop\n${key.thumbprint}\n${jti}`) };
}

interface ProofKey {
  readonly key: KeyObject;
  readonly digest: 'sha256' | null;
  readonly thumbprint: string;
}

function readKey(fields: Record<string, unknown>): ProofKey | undefined {
  const { typ, alg, jwk } = fields;
  if (typ !== 'dpop+jwt' || typeof alg !== 'string' || typeof jwk !== 'object' || jwk === null) return undefined;
  const known = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined;
  const { kty, crv, x, y, d } = jwk as Record<string, unknown>;
  // A proof that carries its private key proves nothing.
  if (known === undefined || kty !== known.kty || crv !== known.crv || d !== undefined) return undefined;
  if (typeof x !== 'string' || (kty === 'EC' && typeof y !== 'string')) return undefined;
  const members = kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  try {
    const key = createPublicKey({ key: members as Record<string, string>, format: 'jwk' });
    return { key, digest: known.digest, thumbprint: sha256(JSON.stringify(members)).toString('base64url') };
  } catch {
    // Not a point of the curve: no key, no proof.
    return undefined;
  }
}

function isSignedBy({ key, digest }: ProofKey, input: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.toString('base64url') !== signature) return false;
  return verify(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

function fitsRequest(claims: Record<string, unknown>, expected: DpopExpectation): boolean {
  const { htm, htu, iat, ath } = claims;
  if (htm !== expected.method || typeof htu !== 'string' || typeof iat !== 'number') return false;
  if (Math.abs(expected.nowMs / 1000 - iat) > dpopWindowS) return false;
  if (!URL.canParse(htu)) return false;
  const { origin, pathname } = new URL(htu);
  if (!expected.origins.includes(origin) || !expected.paths.includes(pathname)) return false;
  if (expected.accessToken === undefined) return true;
  return typeof ath === 'string' && equalConstantTime(ath, sha256(expected.accessToken).toString('base64url'));
}

function readJson(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
