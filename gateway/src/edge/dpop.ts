import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { gatewayErrors } from '../errors.ts';
import type { ProofLedger } from './proof-ledger.ts';

/** Throws DPOP_PROOF_INVALID unless the request proves the key that its token is bound to (RFC 9449, 4.3 and 7). */
export type ProofCheck = (request: FastifyRequest, token: string, thumbprint: string) => Promise<void>;

export interface ProofOptions {
  /** Origins that people reach the system under. */
  readonly origins: readonly string[];
  readonly ledger: ProofLedger;
  readonly now?: () => number;
}

const PROOF_MAX_CHARACTERS = 4_096;
/** RFC 9449, 11.1: short, and as wide as the clocks of honest clients are wrong. */
const AGE_MAX_S = 60;
const SKEW_MAX_S = 5;
const JTI_MAX_CHARACTERS = 256;

export const PROOF_LIFETIME_S = AGE_MAX_S + SKEW_MAX_S;

interface Proof {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export function createProofCheck({ origins, ledger, now = Date.now }: ProofOptions): ProofCheck {
  const allowed = new Set(origins);
  return async (request, token, thumbprint) => {
    const proof = parseProof(request.headers['dpop']);
    if (proof === undefined) throw gatewayErrors.DPOP_PROOF_INVALID();
    const key = keyFromHeader(proof.header);
    const isRight =
      key !== undefined &&
      thumbprintOf(key) === thumbprint &&
      isSignedBy(proof, key) &&
      matchesRequest(proof.claims, request, token, allowed) &&
      isFresh(proof.claims, now() / 1000);
    if (!isRight) throw gatewayErrors.DPOP_PROOF_INVALID();
    const { jti } = proof.claims;
    // Last, so that a proof that is wrong anyway doesn't use up an id.
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_MAX_CHARACTERS)
      throw gatewayErrors.DPOP_PROOF_INVALID();
    if (!(await ledger.spend(`${thumbprint}:${jti}`))) throw gatewayErrors.DPOP_PROOF_INVALID();
  };
}

function parseProof(value: string | string[] | undefined): Proof | undefined {
  // Two fields arrive as one, with a comma, which no JWT holds: "not more than one" (RFC 9449, 4.3).
  if (typeof value !== 'string' || value.length > PROOF_MAX_CHARACTERS) return undefined;
  const match = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(value);
  if (match === null) return undefined;
  const [, head = '', body = '', signature = ''] = match;
  const header = objectFromBase64(head);
  const claims = objectFromBase64(body);
  if (header === undefined || claims === undefined) return undefined;
  return { header, claims, signed: Buffer.from(`${head}.${body}`), signature: Buffer.from(signature, 'base64url') };
}

function objectFromBase64(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The public key of the proof, in the two kinds that are taken: ES256 and EdDSA. A private key in it is a fault. */
function keyFromHeader(header: Record<string, unknown>): JsonWebKey | undefined {
  const { typ, alg, jwk } = header;
  if (typ !== 'dpop+jwt' || typeof jwk !== 'object' || jwk === null || 'd' in jwk) return undefined;
  const { kty, crv } = jwk as JsonWebKey;
  const isElliptic = alg === 'ES256' && kty === 'EC' && crv === 'P-256';
  const isEdwards = alg === 'EdDSA' && kty === 'OKP' && crv === 'Ed25519';
  return isElliptic || isEdwards ? (jwk as JsonWebKey) : undefined;
}

/** RFC 7638: the required members alone, in the order of their names. */
export function thumbprintOf({ crv, kty, x, y }: JsonWebKey): string {
  const members = kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

function isSignedBy(proof: Proof, jwk: JsonWebKey): boolean {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    if (jwk.kty === 'OKP') return verify(null, proof.signed, key, proof.signature);
    return verify('sha256', proof.signed, { key, dsaEncoding: 'ieee-p1363' }, proof.signature);
  } catch {
    return false;
  }
}

function matchesRequest(
  claims: Record<string, unknown>,
  request: FastifyRequest,
  token: string,
  origins: ReadonlySet<string>,
): boolean {
  const { htm, htu, ath } = claims;
  if (htm !== request.method || typeof htu !== 'string' || !URL.canParse(htu)) return false;
  const url = new URL(htu);
  const isHere = origins.has(url.origin) && url.pathname === new URL(request.edge.path, url).pathname;
  return isHere && ath === createHash('sha256').update(token).digest('base64url');
}

function isFresh({ iat }: Record<string, unknown>, nowS: number): boolean {
  return typeof iat === 'number' && iat <= nowS + SKEW_MAX_S && iat >= nowS - AGE_MAX_S;
}
