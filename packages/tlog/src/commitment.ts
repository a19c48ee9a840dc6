import { randomBytes } from 'node:crypto';
import { type CanonicalValue, canonicalJson } from './canonical-json.ts';
import { TlogError } from './errors.ts';
import { HASH_BYTES, leafHash, sha256 } from './hash.ts';

/*
 * THE FINAL LEAF FORMAT. It can never change: every proof ever handed out depends on it. A new format needs a new
 * prefix and a new log.
 *
 *   canonical record = RFC 8785 JSON of the record, restricted as canonical-json.ts says, in UTF-8
 *   message          = "strongroom-audit-record/v1" 0x0A || canonical record
 *   entry            = HMAC-SHA-256(key = salt, message)          32 bytes; what a tlog-tiles entry bundle holds
 *   leaf hash        = SHA-256(0x00 || entry)                     RFC 9162 section 2.1.1
 *
 * `salt` is 32 bytes from the system's random generator, a new one for each record, stored beside the record.
 *
 * Binding: salts have one fixed length, shorter than SHA-256's block, so two (salt, record) pairs with one entry would
 * be a collision of SHA-256. (Of another length they must be refused: HMAC fills short keys up with zeros.)
 * Hiding: without the salt an entry tells nothing of its record, not even to someone who can guess the record, so tiles
 * and receipts may be public, and deleting record and salt leaves every proof valid.
 */
const RECORD_PREFIX = Buffer.from('strongroom-audit-record/v1\n', 'utf8');

export const SALT_BYTES = 32;
export const ENTRY_BYTES = 32;

/** Far above any audit record; a bound on what one row can cost a verifier. */
export const RECORD_BYTES_MAX = 262_144;

export type AuditRecord = { readonly [key: string]: CanonicalValue };

export function createSalt(): Buffer {
  return randomBytes(SALT_BYTES);
}

/** The record's one spelling (RFC 8785, restricted). Throws NOT_CANONICAL or LIMIT_EXCEEDED. */
export function recordToCanonicalJson(record: AuditRecord): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new TlogError('NOT_CANONICAL', 'a record is an object');
  }
  const text = canonicalJson(record);
  if (Buffer.byteLength(text, 'utf8') > RECORD_BYTES_MAX) {
    throw new TlogError('LIMIT_EXCEEDED', `a record has at most ${RECORD_BYTES_MAX} bytes of canonical JSON`);
  }
  return text;
}

/** The entry of a record that is already in canonical JSON. */
export function entryFromCanonicalJson(canonical: string, salt: Uint8Array): Buffer {
  if (salt.length !== SALT_BYTES) throw new TlogError('OUT_OF_RANGE', `a salt is ${SALT_BYTES} bytes`);
  return hmac(salt, Buffer.concat([RECORD_PREFIX, Buffer.from(canonical, 'utf8')]));
}

/** What the log stores of a record: 32 bytes (see the format above). */
export function recordToEntry(record: AuditRecord, salt: Uint8Array): Buffer {
  return entryFromCanonicalJson(recordToCanonicalJson(record), salt);
}

/** The record's leaf in the tree: SHA-256(0x00 || entry), 32 bytes. */
export function recordToLeafHash(record: AuditRecord, salt: Uint8Array): Buffer {
  return leafHash(recordToEntry(record, salt));
}

// HMAC-SHA-256 as RFC 2104 section 2 spells it, for keys up to a block. node:crypto's createHmac makes a key object each
// time and takes five times as long (55 against 11 µs), which an audit of millions of rows and every ingested event
// would pay. A test holds it against createHmac.
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

function hmac(key: Uint8Array, message: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK_BYTES + message.length, INNER_PAD);
  const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES, OUTER_PAD);
  for (let at = 0; at < key.length; at += 1) {
    inner[at] = INNER_PAD ^ (key[at] as number);
    outer[at] = OUTER_PAD ^ (key[at] as number);
  }
  inner.set(message, BLOCK_BYTES);
  outer.set(sha256(inner), BLOCK_BYTES);
  return sha256(outer);
}
