import { requireCount, TlogError } from './errors.ts';
import { emptyRoot, HASH_BYTES, isSameHash, nodeHash, requireHash } from './hash.ts';

/** No tree of up to 2^64 leaves needs a longer proof; C2SP tlog-witness allows the same 63 lines. */
export const PROOF_HASHES_MAX = 63;

/**
 * A growing Merkle tree that remembers only the roots of its complete subtrees, largest first (one per set bit of the
 * size): enough to append and to give the root, in O(log n) memory.
 */
export interface CompactRange {
  readonly size: number;
  append(leaf: Uint8Array): void;
  /** MTH of all leaves so far (RFC 9162 section 2.1.1); of no leaves, the empty root. */
  root(): Uint8Array;
  /** The roots of the complete subtrees, largest first. */
  hashes(): Uint8Array[];
}

/** Continues from `size` leaves whose complete subtrees have these roots (largest first), or from the empty tree. */
export function createCompactRange(from: { size: number; hashes: readonly Uint8Array[] } = { size: 0, hashes: [] }) {
  requireCount(from.size, 'tree size');
  if (from.hashes.length !== setBits(from.size)) {
    throw new TlogError('OUT_OF_RANGE', `a tree of ${from.size} has ${setBits(from.size)} complete subtrees`);
  }
  const subtrees = [...from.hashes];
  let size = from.size;
  const range: CompactRange = {
    get size() {
      return size;
    },
    append(leaf) {
      requireHash(leaf, 'leaf hash');
      let node = leaf;
      // Each trailing 1 of the old size is a complete subtree as large as the new node: they merge.
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(subtrees.pop() as Uint8Array, node);
      subtrees.push(node);
      size += 1;
    },
    root: () => foldSubtrees(subtrees),
    hashes: () => [...subtrees],
  };
  return range;
}

/** The root over complete subtrees given largest first: the smaller ones on the right are joined first. */
export function foldSubtrees(subtrees: readonly Uint8Array[]): Uint8Array {
  if (subtrees.length === 0) return emptyRoot();
  return subtrees.reduceRight((right, left) => nodeHash(left, right));
}

/** The largest power of two smaller than n, for n >= 2: the split of RFC 9162 section 2.1.1. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

export interface InclusionClaim {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 section 2.1.3.2, step by step. Numbers are halved, not shifted: `>>` would cut them to 32 bits. */
export function isInclusionProofValid({ leaf, index, size, proof, root }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes(proof, leaf, root)) return false;
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      r = nodeHash(r, p);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && isSameHash(r, root);
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 section 2.1.4.2, step by step, with the two cases it leaves to the caller: equal sizes need equal roots and
 * an empty proof; every tree extends the empty one, whose root must then be the empty root.
 */
export function isConsistencyProofValid({ oldSize, oldRoot, size, root, proof }: ConsistencyClaim): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes(proof, oldRoot, root)) return false;
  if (size === 0 && !isSameHash(root, emptyRoot())) return false;
  if (oldSize === 0) return proof.length === 0 && isSameHash(oldRoot, emptyRoot());
  if (oldSize === size) return proof.length === 0 && isSameHash(oldRoot, root);
  if (proof.length === 0) return false;
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  let fn = oldSize - 1;
  let sn = size - 1;
  while (isOdd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  let fr = first as Uint8Array;
  let sr = fr;
  for (const c of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = nodeHash(sr, c);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && isSameHash(fr, oldRoot) && isSameHash(sr, root);
}

function areHashes(proof: readonly Uint8Array[], ...others: Uint8Array[]): boolean {
  return proof.length <= PROOF_HASHES_MAX && [...proof, ...others].every((value) => value.length === HASH_BYTES);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function isPowerOfTwo(n: number): boolean {
  return setBits(n) === 1;
}

function setBits(n: number): number {
  let count = 0;
  for (let rest = n; rest > 0; rest = half(rest)) count += rest % 2;
  return count;
}
