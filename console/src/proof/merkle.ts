import { type Bytes, isSameBytes, joinBytes } from './bytes.ts';

export const hashBytes = 32;
/** A tree of 2^53 leaves is no higher. */
export const proofHashesMax = 53;

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** SHA-256(0x00 || entry) (RFC 9162 section 2.1.1). */
export function leafHash(entry: Uint8Array): Promise<Bytes> {
  return sha256(joinBytes(Uint8Array.of(0), entry));
}

/** SHA-256(0x01 || left || right) (RFC 9162 section 2.1.1). */
function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(joinBytes(Uint8Array.of(1), left, right));
}

export interface InclusionClaim {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 section 2.1.3.2, step by step. Numbers are halved, not shifted: `>>` would cut them to 32 bits. */
export async function isIncluded({ leaf, index, size, hashes, root }: InclusionClaim): Promise<boolean> {
  const areSafe = Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
  if (!areSafe || hashes.length > proofHashesMax) return false;
  if ([leaf, root, ...hashes].some(({ length }) => length !== hashBytes)) return false;
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of hashes) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = await nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      r = await nodeHash(r, p);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && isSameBytes(r, root);
}
