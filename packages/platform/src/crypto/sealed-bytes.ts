import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

// NIST SP 800-38D: 96-bit random IVs and full 128-bit tags.
const algorithm = 'aes-256-gcm';
export const ivBytes = 12;
export const tagBytes = 16;
export const keyBytes = 32;
const formatVersion = 1;
const keyIdBytesMax = 64;

/** Says that something didn't open, and nothing about why: a reason would help whoever tampers. */
export class OpenError extends Error {
  override name = 'OpenError';
  readonly reason: 'format' | 'key' | 'authentication';

  constructor(reason: 'format' | 'key' | 'authentication') {
    super('The sealed value could not be opened.');
    this.reason = reason;
  }
}

/** version, length of the key id, key id, IV, tag, ciphertext. */
export interface SealedParts {
  readonly keyId: string;
  readonly iv: Buffer;
  readonly tag: Buffer;
  readonly ciphertext: Buffer;
}

const keyObjects = new WeakMap<Uint8Array, KeyObject>();

/** Node makes one of every key that it is given as bytes, for each call: most of what sealing a short text costs. */
function keyObjectOf(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key);
  keyObjects.set(key, made);
  return made;
}

export function sealBytes(key: Uint8Array, keyId: string, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const id = Buffer.from(keyId, 'utf8');
  if (id.length === 0 || id.length > keyIdBytesMax) throw new RangeError('A key id has 1 to 64 bytes.');
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, keyObjectOf(key), iv, { authTagLength: tagBytes });
  const header = Buffer.concat([Buffer.from([formatVersion, id.length]), id]);
  // The header is authenticated too, so that a key id can't be exchanged.
  cipher.setAAD(Buffer.concat([header, aad]));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), ciphertext]);
}

export function readSealed(sealed: Uint8Array): SealedParts {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const idLength = bytes[1] ?? 0;
  const headerLength = 2 + idLength;
  if (bytes[0] !== formatVersion || idLength === 0 || idLength > keyIdBytesMax) throw new OpenError('format');
  if (bytes.length < headerLength + ivBytes + tagBytes) throw new OpenError('format');
  return {
    keyId: bytes.toString('utf8', 2, headerLength),
    iv: bytes.subarray(headerLength, headerLength + ivBytes),
    tag: bytes.subarray(headerLength + ivBytes, headerLength + ivBytes + tagBytes),
    ciphertext: bytes.subarray(headerLength + ivBytes + tagBytes),
  };
}

export function openBytes(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer {
  const parts = readSealed(sealed);
  const header = Buffer.from(sealed.buffer, sealed.byteOffset, 2 + Buffer.byteLength(parts.keyId));
  const decipher = createDecipheriv(algorithm, keyObjectOf(key), parts.iv, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.concat([header, aad]));
  decipher.setAuthTag(parts.tag);
  try {
    return Buffer.concat([decipher.update(parts.ciphertext), decipher.final()]);
  } catch {
    throw new OpenError('authentication');
  }
}
