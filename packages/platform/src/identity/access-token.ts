import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { Principal } from '../rpc/call.ts';

/** Thrown inside of the authenticator only: why a token is no token of ours. For the log; the caller never learns it. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
}

/** The cause of a refusal of a genuine token that is expired, revoked, used up or unproven: whose it was is known. */
export class SpentToken extends Error {
  override readonly name = 'SpentToken';
  readonly userId: string;

  constructor(userId: string) {
    super('no longer valid');
    this.userId = userId;
  }
}

/** Whose genuine token was refused; undefined where it was no token of ours. */
export function userOfRefusedToken(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof SpentToken ? cause.userId : undefined;
}

export interface TokenHeader {
  readonly kid: string;
  readonly alg: string;
}

const TOKEN_MAX_CHARACTERS = 4_096;
const SIGNATURE_MAX_BYTES = 64;
/** RFC 9068 section 2.1: told apart from every other kind of JWT by its type. */
const TOKEN_TYPE = 'at+jwt';
const KID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TOKEN_ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;
const METHOD_PATTERN = /^[a-z0-9_]{1,32}$/;
const METHODS_MAX = 16;
const THUMBPRINT_PATTERN = /^[A-Za-z0-9_-]{43}$/; // RFC 7638: SHA-256 in base64url
const HEADER_NAMES: ReadonlySet<string> = new Set(['alg', 'kid', 'typ']);
const NUMERIC_DATE_MAX = 253_402_300_799; // the last second of the year 9999
const MILLISECONDS_PER_SECOND = 1_000;
/** Clocks of the services may differ by this much (F14). */
export const CLOCK_SKEW_MS = 30_000;
/** No access token of ours lives longer, whatever it says itself. */
const LIFE_MAX_MS = 24 * 60 * 60_000;

/**
 * The header of a token in its one canonical spelling. Many decoders take the same token respelled (padding, unused bits
 * of the last character, white space: measured.md, Tools); here there is one text for one token.
 */
export function readTokenHeader(token: string): TokenHeader {
  if (token.length > TOKEN_MAX_CHARACTERS) throw new TokenFault('too long');
  const parts = token.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || !signature) throw new TokenFault('not three parts');
  decodeCanonical(payload);
  if (decodeCanonical(signature).length > SIGNATURE_MAX_BYTES) throw new TokenFault('signature too long');
  const fields = parseObject(decodeCanonical(header));
  // jku, jwk, x5u, x5c, crit and whatever else is invented would only ever weaken what is pinned (RFC 8725 section 3.10).
  for (const name of Object.keys(fields)) if (!HEADER_NAMES.has(name)) throw new TokenFault('unknown header');
  const { alg, kid, typ } = fields;
  if (typ !== TOKEN_TYPE) throw new TokenFault('wrong type');
  if (typeof alg !== 'string' || typeof kid !== 'string' || !KID_PATTERN.test(kid))
    throw new TokenFault('wrong header');
  return { alg, kid };
}

function decodeCanonical(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new TokenFault('not canonical base64url');
  return bytes;
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new TokenFault('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TokenFault('not an object');
  return value as Record<string, unknown>;
}

export interface ExpectedClaims {
  readonly issuer: string;
  readonly audience: string;
}

/** Claims whose signature has been verified, checked one by one. Expiry is left to the caller: it has its own answer. */
export function claimsToPrincipal(claims: Record<string, unknown>, expected: ExpectedClaims, nowMs: number): Principal {
  if (claims['iss'] !== expected.issuer) throw new TokenFault('wrong issuer');
  if (claims['aud'] !== expected.audience) throw new TokenFault('wrong audience');
  const issueTimeMs = millisecondsOf(claims['iat']);
  const expireTimeMs = millisecondsOf(claims['exp']);
  const authenticationTimeMs = millisecondsOf(claims['auth_time']);
  if (claims['nbf'] !== undefined && millisecondsOf(claims['nbf']) > nowMs + CLOCK_SKEW_MS) {
    throw new TokenFault('not valid yet');
  }
  if (issueTimeMs > nowMs + CLOCK_SKEW_MS) throw new TokenFault('issued in the future');
  if (expireTimeMs <= issueTimeMs || expireTimeMs - issueTimeMs > LIFE_MAX_MS) throw new TokenFault('wrong life');
  const pcr = claims['pcr'] ?? false;
  const mfe = claims['mfe'] ?? false;
  if (typeof pcr !== 'boolean' || typeof mfe !== 'boolean') throw new TokenFault('wrong flag');
  return {
    userId: textOf(claims['sub'], UUID_PATTERN),
    sessionId: textOf(claims['sid'], UUID_PATTERN),
    tokenId: textOf(claims['jti'], TOKEN_ID_PATTERN),
    role: roleOf(claims['role']),
    authenticationMethods: methodsOf(claims['amr']),
    authenticationTime: new Date(authenticationTimeMs),
    issueTime: new Date(issueTimeMs),
    expireTime: new Date(expireTimeMs),
    passwordChangeRequired: pcr,
    secondFactorEnrolled: mfe,
    keyThumbprint: thumbprintOf(claims['cnf']),
  };
}

function textOf(value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new TokenFault('wrong id');
  return value;
}

/** A JSON number of seconds, with or without a fraction (RFC 7519 section 2, NumericDate). */
function millisecondsOf(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= NUMERIC_DATE_MAX)) throw new TokenFault('wrong time');
  return Math.round(value * MILLISECONDS_PER_SECOND);
}

function roleOf(value: unknown): Role {
  switch (value) {
    case 'CUSTOMER':
      return Role.CUSTOMER;
    case 'VENDOR':
      return Role.VENDOR;
    case 'ADMIN':
      return Role.ADMIN;
    default:
      throw new TokenFault('wrong role'); // SERVICE too: processes are known by their certificates
  }
}

function methodsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > METHODS_MAX) throw new TokenFault('wrong amr');
  return value.map((method) => textOf(method, METHOD_PATTERN));
}

function thumbprintOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) throw new TokenFault('wrong cnf');
  const names = Object.keys(value);
  if (names.length !== 1 || names[0] !== 'jkt') throw new TokenFault('wrong cnf');
  return textOf((value as { jkt: unknown }).jkt, THUMBPRINT_PATTERN);
}
