import { createHash } from 'node:crypto';

/*
 * The definitions of RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1 written down as they stand there, recursively, with
 * nothing of src/. Complete subtrees are remembered, so that large trees can be asked often.
 */
export interface ReferenceTree {
  /** MTH(D[from:to]). */
  mth(from: number, to: number): Buffer;
  /** PATH(m, D[0:n]). */
  path(m: number, n: number): Buffer[];
  /** PROOF(m, D[0:n]). */
  proof(m: number, n: number): Buffer[];
}

export function createReferenceTree(leafHashes: readonly Uint8Array[]): ReferenceTree {
  const remembered = new Map<number, Buffer>();
  const mth = (from: number, to: number): Buffer => {
    const n = to - from;
    if (n === 0) return createHash('sha256').digest();
    if (n === 1) return Buffer.from(leafHashes[from] as Uint8Array);
    const isComplete = Math.log2(n) % 1 === 0;
    const key = from * 64 + Math.log2(n);
    const known = isComplete ? remembered.get(key) : undefined;
    if (known) return known;
    const k = largestPowerOfTwoBelow(n);
    const hash = createHash('sha256')
      .update(Buffer.of(1))
      .update(mth(from, from + k))
      .update(mth(from + k, to))
      .digest();
    if (isComplete) remembered.set(key, hash);
    return hash;
  };
  const path = (m: number, from: number, to: number): Buffer[] => {
    const n = to - from;
    if (n === 1) return [];
    const k = largestPowerOfTwoBelow(n);
    return m < k
      ? [...path(m, from, from + k), mth(from + k, to)]
      : [...path(m - k, from + k, to), mth(from, from + k)];
  };
  const subproof = (m: number, from: number, to: number, isWhole: boolean): Buffer[] => {
    const n = to - from;
    if (m === n) return isWhole ? [] : [mth(from, to)];
    const k = largestPowerOfTwoBelow(n);
    return m <= k
      ? [...subproof(m, from, from + k, isWhole), mth(from + k, to)]
      : [...subproof(m - k, from + k, to, false), mth(from, from + k)];
  };
  return {
    mth,
    path: (m, n) => path(m, 0, n),
    proof: (m, n) => (m === 0 ? [] : subproof(m, 0, n, true)),
  };
}

/** "k is the largest power of two smaller than n". */
function largestPowerOfTwoBelow(n: number): number {
  let k = 1;
  while (k + k < n) k += k;
  return k;
}
