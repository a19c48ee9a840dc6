import { ConfigError, type Secret } from '../config/index.ts';
import { createStaticKeys, type KeySource } from './keys.ts';

/** One entry of JWT_SECRETS, or JWT_SECRET, which has the kid `default` (S3.1a). */
export interface SharedSecret {
  readonly kid: string;
  readonly secret: string;
  /** Signs in place of auth's own keys, where SIGN_IN_WITH_SHARED_SECRET asks for that. */
  readonly isActive: boolean;
  readonly canVerify: boolean;
}

export interface SharedSecretsConfig {
  readonly JWT_SECRET?: Secret | undefined;
  readonly JWT_SECRETS?: Secret | undefined;
}

const secretBytesMin = 32; // RFC 7518 section 3.2: HS256 needs 256 bits
const kidPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** Reads the secrets; throws ConfigError with what is wrong and never with what it holds. */
export function readSharedSecrets({ JWT_SECRET, JWT_SECRETS }: SharedSecretsConfig): SharedSecret[] {
  const found: SharedSecret[] = JWT_SECRETS === undefined ? [] : parseList(JWT_SECRETS.reveal()).map(readEntry);
  if (JWT_SECRET !== undefined) {
    found.unshift({ kid: 'default', secret: JWT_SECRET.reveal(), isActive: false, canVerify: true });
  }
  if (found.some(({ secret }) => Buffer.byteLength(secret) < secretBytesMin)) {
    throw fault(`each secret must have at least ${secretBytesMin} bytes`);
  }
  if (new Set(found.map(({ kid }) => kid)).size !== found.length) throw fault('a kid is there twice');
  if (found.filter(({ isActive }) => isActive).length > 1) throw fault('more than one entry is active');
  return found;
}

/** HS256 alone under each of their ids: the algorithm is the key's, never the token's. */
export function createSharedKeys(config: SharedSecretsConfig): KeySource {
  const keys = readSharedSecrets(config).filter(({ canVerify }) => canVerify);
  return createStaticKeys(
    keys.map(({ kid, secret }) => ({ kid, algorithm: 'HS256', material: Buffer.from(secret, 'utf8') })),
  );
}

function readEntry(entry: object): SharedSecret {
  const { kid, secret, isActive = false, canVerify = true } = entry as Partial<SharedSecret>;
  if (typeof kid !== 'string' || !kidPattern.test(kid)) {
    throw fault('each kid must be 1 to 64 of A-Z, a-z, 0-9, dot, hyphen and underscore');
  }
  if (typeof secret !== 'string') throw fault('each entry needs a secret');
  return { kid, secret, isActive: isActive === true, canVerify: canVerify === true };
}

function parseList(text: string): readonly object[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds secrets: it goes no further.
    throw fault('must be a JSON list');
  }
  const isList = Array.isArray(parsed) && parsed.every((entry) => typeof entry === 'object' && entry !== null);
  if (!isList) throw fault('must be a JSON list of objects');
  return parsed as object[];
}

function fault(rule: string): ConfigError {
  return new ConfigError([{ variable: 'JWT_SECRETS', rule }]);
}
