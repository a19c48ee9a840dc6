import { createHash, createHmac, hash } from 'node:crypto';

/*
 * A puncturable pseudo-random function after Goldreich, Goldwasser and Micali ("How to construct random functions", 1986),
 * punctured as by Green and Miers ("Forward secure asynchronous messaging from puncturable encryption", 2015). A secret at
 * the root of a binary tree gives two below it by a one-way function, and so on down to a leaf for each person. To erase
 * one person, every secret on the path to the leaf is replaced by the siblings along that path: all other leaves can
 * still be derived, this one never again, by anybody. Nothing about persons is stored but those siblings, so a backup of
 * a database has nothing to bring back.
 */

export const secretBytes = 32;
/** Bits of SHA-256(person) that name the leaf: that two of a billion persons share one is less likely than 10^-6. */
export const depthBits = 80;
const leafBytes = depthBits / 8;
const leftByte = 0;
const rightByte = 1;

export interface TreeNode {
  /** The first bits of the leaves below, as '0' and '1'. */
  readonly prefix: string;
  readonly secret: Uint8Array;
}

/** The leaf of a person, as bits. */
export function leafOf(personId: string): string {
  const digest = createHash('sha256').update(`strongroom-person-leaf/v1\n${personId}`, 'utf8').digest();
  return [...digest.subarray(0, leafBytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

/** The person's key; undefined once punctured. `nodes` hold disjoint subtrees. */
export function deriveKey(nodes: readonly TreeNode[], leaf: string): Buffer | undefined {
  const node = nodes.find(({ prefix }) => leaf.startsWith(prefix));
  if (!node) return undefined;
  let secret: Uint8Array = node.secret;
  for (const bit of leaf.slice(node.prefix.length)) secret = childSecret(secret, bit);
  return createHmac('sha256', secret).update('strongroom-person-key/v1').digest();
}

/** The nodes without the leaf: its subtree's root is replaced by the siblings along the path. */
export function puncture(nodes: readonly TreeNode[], leaf: string): TreeNode[] {
  const node = nodes.find(({ prefix }) => leaf.startsWith(prefix));
  if (!node) return [...nodes];
  const kept = nodes.filter((other) => other !== node);
  let secret: Uint8Array = node.secret;
  for (let at = node.prefix.length; at < leaf.length; at += 1) {
    const bit = leaf[at] as string;
    const sibling = bit === '0' ? '1' : '0';
    kept.push({ prefix: leaf.slice(0, at) + sibling, secret: childSecret(secret, sibling) });
    secret = childSecret(secret, bit);
  }
  return kept;
}

/**
 * SHA-256 of the secret and one byte as the tree's one-way function: inputs have one length, so that one output never
 * extends into another. A one-shot hash, because a key takes one for each bit of depth.
 */
function childSecret(secret: Uint8Array, bit: string): Uint8Array {
  const input = Buffer.allocUnsafe(secretBytes + 1);
  input.set(secret);
  input[secretBytes] = bit === '0' ? leftByte : rightByte;
  return hash('sha256', input, 'buffer');
}
