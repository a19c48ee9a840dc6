import { timingSafeEqual } from 'node:crypto';
import { hmacSha256, sha256 } from '@strongroom/platform/crypto';

/** What a refresh token says, before anyone has checked it (S1.2b). */
export interface RefreshTokenClaims {
  readonly sessionId: string;
  readonly generation: number;
}

const prefix = 'rt1_';
const sessionIdBytes = 16;
const generationBytes = 4;
const macBytes = 32; // HMAC-SHA-256 whole: 256 bits, above the 128 of ASVS V7.2.3
const bodyBytes = sessionIdBytes + generationBytes;
const tokenPattern = /^rt1_[A-Za-z0-9_-]{70}$/; // 52 bytes in base64url

/** The token of a generation. Made from the session's key, so it can be given again without being stored. */
export function encodeRefreshToken(key: Uint8Array, claims: RefreshTokenClaims): string {
  const body = bodyOf(claims);
  return prefix + Buffer.concat([body, macOf(key, body)]).toString('base64url');
}

/** The claims of a text that is spelled like a token; undefined for any other spelling, also of the same bytes. */
export function readRefreshToken(token: string): RefreshTokenClaims | undefined {
  if (!tokenPattern.test(token)) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  // Unused tail bits of base64 would make a second spelling.
  if (prefix + bytes.toString('base64url') !== token) return undefined;
  const hex = bytes.toString('hex', 0, sessionIdBytes);
  const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { sessionId, generation: bytes.readUInt32BE(sessionIdBytes) };
}

/** Whether the session's key made the token. */
export function isRefreshTokenOf(key: Uint8Array, token: string): boolean {
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  if (bytes.length !== bodyBytes + macBytes) return false;
  return timingSafeEqual(bytes.subarray(bodyBytes), macOf(key, bytes.subarray(0, bodyBytes)));
}

export function refreshTokenHash(token: string): Buffer {
  return sha256(token);
}

/**
 * Id of the access token that goes with a generation. Derived, so that the same successor is given again whole: all
 * answers to parallel refreshes are equal, and one revocation hits every copy.
 */
export function accessTokenId(key: Uint8Array, generation: number): string {
  return hmacSha256(key, `access token id\n${generation}`).subarray(0, 16).toString('base64url');
}

function bodyOf({ sessionId, generation }: RefreshTokenClaims): Buffer {
  const body = Buffer.alloc(bodyBytes);
  body.write(sessionId.replaceAll('-', ''), 0, 'hex');
  body.writeUInt32BE(generation, sessionIdBytes);
  return body;
}

function macOf(key: Uint8Array, body: Uint8Array): Buffer {
  return hmacSha256(key, Buffer.concat([Buffer.from('strongroom refresh token v1\n'), body]));
}
