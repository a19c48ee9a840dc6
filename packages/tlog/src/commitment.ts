import { createHmac, randomBytes } from 'node:crypto';
import { type CanonicalValue, canonicalJson } from './canonical-json.ts';
import { TlogError } from './errors.ts';
import { leafHash } from './hash.ts';

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
  return createHmac('sha256', salt).update(RECORD_PREFIX).update(canonical, 'utf8').digest();
}

/** What the log stores of a record: 32 bytes (see the format above). */
export function recordToEntry(record: AuditRecord, salt: Uint8Array): Buffer {
  return entryFromCanonicalJson(recordToCanonicalJson(record), salt);
}

/** The record's leaf in the tree: SHA-256(0x00 || entry), 32 bytes. */
export function recordToLeafHash(record: AuditRecord, salt: Uint8Array): Buffer {
  return leafHash(recordToEntry(record, salt));
}
