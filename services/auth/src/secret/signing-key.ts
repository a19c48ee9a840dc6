import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { sha256 } from '@strongroom/platform/crypto';

/** S3.1a: the algorithm belongs to the key, never to the token. */
export type SigningAlgorithm = 'EdDSA' | 'HS256';

/** Public part of an Ed25519 key (RFC 8037). */
export interface Ed25519Jwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

/** A key as the database has it, without its private part. Times in milliseconds since 1970, by the database. */
export interface SigningKeyRow {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: Ed25519Jwk | undefined;
  readonly isActive: boolean;
  readonly canVerify: boolean;
  readonly createTimeMs: number;
  /** Not before this, so that every verifier can have read it (signFromLeadMs). */
  readonly signFromTimeMs: number;
  readonly expireTimeMs: number;
  readonly retireTimeMs: number | undefined;
  readonly verifyUntilTimeMs: number | undefined;
}

const dayMs = 86_400_000;
/**
 * A new key is published this long before it signs. A verifier that meets an unknown key id asks again, but at most
 * every 2 s (platform's remote keys); with the longer lead, whatever it read last already has the key: no request
 * fails in a rotation (F32).
 */
export const signFromLeadMs = 3_000;
/** S3.1b: from this on each check warns. */
export const expiryWarningDays = 30;

export function generateSigningKey(): { kid: string; publicJwk: Ed25519Jwk; privatePem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const publicJwk: Ed25519Jwk = { kty: 'OKP', crv: 'Ed25519', x };
  const privatePem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { kid: thumbprintOf(publicJwk), publicJwk, privatePem };
}

/** RFC 7638 with RFC 8037's members: a key id that nobody can choose. */
function thumbprintOf({ crv, kty, x }: Ed25519Jwk): string {
  return sha256(JSON.stringify({ crv, kty, x })).toString('base64url');
}

export function publicPemOf(jwk: Ed25519Jwk): string {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ format: 'pem', type: 'spki' })
    .toString();
}

/** Refuses a private part that isn't the one of the public part: a database mixed up by hand must not sign. */
export function isKeyPair(privatePem: string, publicJwk: Ed25519Jwk): boolean {
  return createPublicKey(createPrivateKey(privatePem)).export({ format: 'jwk' }).x === publicJwk.x;
}

/** The key that signs at an instant: the one whose turn came last. Undefined before there is any. */
export function signingKeyAt<Key extends Pick<SigningKeyRow, 'signFromTimeMs'>>(
  keys: readonly Key[],
  nowMs: number,
): Key | undefined {
  const due = keys.filter((key) => key.signFromTimeMs <= nowMs);
  return due.toSorted((a, b) => b.signFromTimeMs - a.signFromTimeMs)[0];
}

export function canVerifyNow(key: SigningKeyRow, nowMs: number): boolean {
  return key.canVerify && (key.verifyUntilTimeMs === undefined || key.verifyUntilTimeMs > nowMs);
}

/** Keys that stop signing within so many days, and still sign. */
export function expiringKeys(keys: readonly SigningKeyRow[], nowMs: number, withinDays: number): SigningKeyRow[] {
  return keys.filter((key) => key.isActive && key.expireTimeMs <= nowMs + withinDays * dayMs);
}

/** JWK Set (RFC 7517) of what verifies; shared secrets aren't in it (older fault 17). */
export function jwksOf(keys: readonly SigningKeyRow[], nowMs: number): { keys: object[] } {
  const found = keys.flatMap((key) => {
    if (key.publicJwk === undefined || !canVerifyNow(key, nowMs)) return [];
    return [{ ...key.publicJwk, kid: key.kid, alg: key.algorithm, use: 'sig' }];
  });
  return { keys: found };
}
