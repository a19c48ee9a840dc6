import { createPublicKey } from 'node:crypto';

export type TokenAlgorithm = 'EdDSA' | 'HS256';

/** One key that access tokens are verified with. Its algorithm is pinned here (S3.1a). */
export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** PEM of the public key, or the bytes of the shared secret. */
  readonly material: string | Buffer;
}

export interface KeySource {
  /** The key of that id, the same object each time while it is in use; undefined if there is none. */
  find(kid: string): VerificationKey | undefined | Promise<VerificationKey | undefined>;
}

/** Keys that are known from the start: HS256 secrets by configuration, and tests. */
export function createStaticKeys(keys: readonly VerificationKey[]): KeySource {
  const byId = new Map(keys.map((key) => [key.kid, key]));
  return { find: (kid) => byId.get(kid) };
}

/** The first source that knows the key. */
export function combineKeys(...sources: readonly KeySource[]): KeySource {
  return {
    async find(kid) {
      for (const source of sources) {
        const key = await source.find(kid);
        if (key !== undefined) return key;
      }
      return undefined;
    },
  };
}

const KID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
const ED25519_COORDINATE_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** Reads a JWK Set (RFC 7517, RFC 8037). Keys of other kinds or uses are left out, not guessed at. */
export function keysFromJwks(document: unknown): readonly VerificationKey[] {
  const list = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new Error('the key set holds no list of keys');
  return list.flatMap((jwk: unknown) => keyFromJwk(jwk) ?? []);
}

function keyFromJwk(jwk: unknown): VerificationKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { kty, crv, x, kid, alg, use } = jwk as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || (alg !== undefined && alg !== 'EdDSA')) return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (typeof kid !== 'string' || !KID_PATTERN.test(kid)) return undefined;
  if (typeof x !== 'string' || !ED25519_COORDINATE_PATTERN.test(x)) return undefined;
  const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  return { kid, algorithm: 'EdDSA', material: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
