import { hash } from 'node:crypto';
import { TlogError } from './errors.ts';

/** SHA-256 output length. RFC 9162 section 2.1.1 leaves the function open; C2SP tlog-tiles fixes SHA-256. */
export const HASH_BYTES = 32;

// RFC 9162 section 2.1.1: the first byte keeps leaves and inner nodes apart. Without it an inner node could be passed
// off as a leaf (second preimage).
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

// Hashing is synchronous, so one scratch area for the 65 bytes of a node is safe and saves an allocation per node.
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeInput[0] = NODE_PREFIX;

/** By way of a string: a digest that comes as a Buffer has memory of its own, which costs thrice the time and slow collections. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

/** MTH({}) = SHA-256 of nothing (RFC 9162 section 2.1.1). */
export function emptyRoot(): Buffer {
  return sha256(new Uint8Array(0));
}

/** The hash of one log entry: SHA-256(0x00 || entry) (RFC 9162 section 2.1.1). */
export function leafHash(entry: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + entry.length);
  input[0] = LEAF_PREFIX;
  input.set(entry, 1);
  return sha256(input);
}

/** The hash of an inner node: SHA-256(0x01 || left || right) (RFC 9162 section 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  requireHash(left, 'left hash');
  requireHash(right, 'right hash');
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** nodeHash of two neighbours within `hashes`, which begin at byte `from`; written there at byte `to`. */
export function joinNeighbours(hashes: Buffer, from: number, to: number): void {
  hashes.copy(nodeInput, 1, from, from + 2 * HASH_BYTES);
  hashes.write(hash('sha256', nodeInput, 'binary'), to, HASH_BYTES, 'binary');
}

/** Compares public values (tree hashes are no secrets), so an ordinary comparison is right here. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export function requireHash(value: Uint8Array, what: string): void {
  if (value.length !== HASH_BYTES) {
    throw new TlogError('OUT_OF_RANGE', `${what} must be ${HASH_BYTES} bytes, got ${value.length}`);
  }
}
