import { bytesFromBase64, bytesToBase64 } from './base64.ts';
import { canonicalJson } from './canonical-json.ts';
import type { OpenedCheckpoint, Trust } from './checkpoint.ts';
import { type AuditRecord, recordToCanonicalJson, recordToLeafHash } from './commitment.ts';
import { TlogError } from './errors.ts';
import { formatProof, openProof, parseProof } from './proof.ts';

/**
 * An audit receipt is a tlog-proof whose extra data opens the commitment: canonical JSON of {record, salt}, the salt in
 * base64. Its holder needs nothing but the public keys.
 */
export interface Receipt {
  readonly record: AuditRecord;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
}

export function formatReceipt({ record, salt, index, hashes, checkpoint }: Receipt): string {
  recordToCanonicalJson(record);
  const extra = Buffer.from(canonicalJson({ record, salt: bytesToBase64(salt) }), 'utf8');
  return formatProof({ index, hashes, checkpoint, extra });
}

/**
 * Checks a receipt and gives the record it proves. Throws MALFORMED_PROOF, INVALID_PROOF, or what openCheckpoint throws.
 */
export function openReceipt(text: string, trust: Trust): OpenedCheckpoint & { index: number; record: AuditRecord } {
  const { record, salt } = parseExtra(parseProof(text).extra);
  const opened = openProof(text, recordToLeafHash(record, salt), trust);
  return { ...opened, record };
}

function parseExtra(extra: Uint8Array | undefined): { record: AuditRecord; salt: Uint8Array } {
  const text = Buffer.from(extra ?? []).toString('utf8');
  try {
    const value = JSON.parse(text);
    const salt = bytesFromBase64(value.salt);
    // Only the canonical spelling: what a person reads in the file is then exactly what is hashed.
    if (salt && canonicalJson({ record: value.record, salt: value.salt }) === text) {
      recordToCanonicalJson(value.record);
      return { record: value.record, salt };
    }
  } catch (cause) {
    throw new TlogError('MALFORMED_PROOF', 'the receipt holds no record and salt', { cause });
  }
  throw new TlogError('MALFORMED_PROOF', 'the receipt is not in canonical form');
}
