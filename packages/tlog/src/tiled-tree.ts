import { requireCount, TlogError } from './errors.ts';
import { HASH_BYTES, requireHash } from './hash.ts';
import { hashesFromTile, perfectRoot, type ReadTile, TILE_HEIGHT, TILE_WIDTH, tileWidth } from './tile.ts';
import { foldSubtrees, splitPoint } from './tree.ts';

/** One append is one database transaction; more leaves than this belong into several. */
export const APPEND_LEAVES_MAX = 65_536;

/**
 * All that is needed to go on appending: the size, and per tile level the bytes of the partial tile at the right edge
 * (32 * (floor(size / 256^level) mod 256) of them, perhaps none). At most 255 * 32 bytes a level.
 */
export interface TreeState {
  readonly size: number;
  readonly edge: readonly Uint8Array[];
}

/** A tile to store: replaces any narrower one at the same level and index. `bytes` are `width` hashes of 32 bytes. */
export interface TileUpdate {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

export function emptyTreeState(): TreeState {
  return { size: 0, edge: [] };
}

/**
 * Appends leaf hashes: gives the state after them and every tile that is new or has grown, each once, in its final
 * width (C2SP tlog-tiles). Pure: the caller stores state and tiles in its own transaction.
 */
export function appendLeaves(
  state: TreeState,
  leaves: readonly Uint8Array[],
): { state: TreeState; tiles: TileUpdate[] } {
  requireTreeState(state);
  if (leaves.length > APPEND_LEAVES_MAX) {
    throw new TlogError('LIMIT_EXCEEDED', `at most ${APPEND_LEAVES_MAX} leaves at once, got ${leaves.length}`);
  }
  requireCount(state.size + leaves.length, 'tree size');
  for (const leaf of leaves) requireHash(leaf, 'leaf hash');
  const edge = [...state.edge];
  const tiles: TileUpdate[] = [];
  let incoming = leaves;
  for (let level = 0; incoming.length > 0; level += 1) {
    const hashes = [...hashesFromTile(edge[level] ?? new Uint8Array(0)), ...incoming];
    const firstTile = Math.floor(state.size / TILE_WIDTH ** (level + 1));
    const tileRoots: Uint8Array[] = [];
    let at = 0;
    for (; at < hashes.length; at += TILE_WIDTH) {
      const inTile = hashes.slice(at, at + TILE_WIDTH);
      const index = firstTile + at / TILE_WIDTH;
      const bytes = Buffer.concat(inTile);
      tiles.push({ level, index, width: inTile.length, bytes });
      // "A partial tile … MUST NOT be hashed into a tile at the level above."
      if (inTile.length === TILE_WIDTH) tileRoots.push(perfectRoot(bytes));
    }
    const last = tiles[tiles.length - 1] as TileUpdate;
    edge[level] = last.width === TILE_WIDTH ? new Uint8Array(0) : last.bytes;
    incoming = tileRoots;
  }
  return { state: { size: state.size + leaves.length, edge }, tiles };
}

/** The root of the tree the state describes. */
export function rootFromState(state: TreeState): Uint8Array {
  requireTreeState(state);
  const subtrees: Uint8Array[] = [];
  for (let level = state.edge.length - 1; level >= 0; level -= 1) {
    const hashes = state.edge[level] as Uint8Array;
    let at = 0;
    for (let bytes = (TILE_WIDTH / 2) * HASH_BYTES; bytes >= HASH_BYTES; bytes /= 2) {
      if (Math.floor(hashes.length / bytes) % 2 === 0) continue;
      subtrees.push(perfectRoot(hashes.subarray(at, at + bytes)));
      at += bytes;
    }
  }
  return foldSubtrees(subtrees);
}

/** Rebuilds the state from stored tiles. Compare rootFromState with the last checkpoint before trusting it. */
export async function readTreeState(size: number, readTile: ReadTile): Promise<TreeState> {
  requireCount(size, 'tree size');
  const places: TilePlace[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    places.push({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)) });
  }
  const partial = places.filter(({ level, index }) => tileWidth(level, index, size) > 0);
  const tiles = await readTiles(partial, size, readTile);
  return { size, edge: places.map((place) => tiles.get(tileKey(place)) ?? new Uint8Array(0)) };
}

/** The root of the first `size` leaves, from tiles, in O(log size). */
export async function rootFromTiles(size: number, readTile: ReadTile): Promise<Uint8Array> {
  return rootFromState(await readTreeState(size, readTile));
}

/**
 * PATH(index, D[size]) of RFC 9162 section 2.1.3.1, leaf's sibling first, from at most two tiles a tile level. Tiles are
 * taken as they are: check the proof with isInclusionProofValid against a signed root before handing it out.
 */
export async function inclusionProof(index: number, size: number, readTile: ReadTile): Promise<Uint8Array[]> {
  requireCount(index, 'leaf index');
  requireCount(size, 'tree size');
  if (index >= size) throw new TlogError('OUT_OF_RANGE', `leaf ${index} is not in a tree of ${size}`);
  const ranges: [from: number, to: number][] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      ranges.push([middle, to]);
      to = middle;
    } else {
      ranges.push([from, middle]);
      from = middle;
    }
  }
  return hashRanges(ranges.reverse(), size, readTile);
}

/** PROOF(oldSize, D[size]) of RFC 9162 section 2.1.4.1; empty where oldSize is 0 or size. */
export async function consistencyProof(oldSize: number, size: number, readTile: ReadTile): Promise<Uint8Array[]> {
  requireCount(oldSize, 'old tree size');
  requireCount(size, 'tree size');
  if (oldSize > size) throw new TlogError('OUT_OF_RANGE', `the old size ${oldSize} is larger than ${size}`);
  if (oldSize === 0 || oldSize === size) return [];
  const ranges: [from: number, to: number][] = [];
  let from = 0;
  let to = size;
  while (to !== oldSize) {
    const middle = from + splitPoint(to - from);
    if (oldSize <= middle) {
      ranges.push([middle, to]);
      to = middle;
    } else {
      ranges.push([from, middle]);
      from = middle;
    }
  }
  // SUBPROOF's flag: the verifier already knows the old root, so it is left out only if this subtree is that whole tree.
  if (from > 0) ranges.push([from, to]);
  return hashRanges(ranges.reverse(), size, readTile);
}

/** MTH(D[from:to]) of each range, `from` being a multiple of every complete subtree in it, as in RFC 9162's recursions. */
async function hashRanges(
  ranges: readonly (readonly [from: number, to: number])[],
  size: number,
  readTile: ReadTile,
): Promise<Uint8Array[]> {
  const subtrees = ranges.map(([from, to]) => completeSubtrees(from, to));
  const tiles = await readTiles(subtrees.flat(), size, readTile);
  return subtrees.map((ofRange) => foldSubtrees(ofRange.map((subtree) => hashSubtree(subtree, tiles))));
}

interface TilePlace {
  readonly level: number;
  readonly index: number;
}

/** A complete subtree as it lies within one tile: `count` neighbouring hashes, a power of two. */
interface Subtree extends TilePlace {
  readonly start: number;
  readonly count: number;
}

/** The largest first. */
function completeSubtrees(from: number, to: number): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < to; ) {
    let height = 0;
    while (2 ** (height + 1) <= to - at) height += 1;
    const level = Math.floor(height / TILE_HEIGHT);
    const position = at / TILE_WIDTH ** level;
    const index = Math.floor(position / TILE_WIDTH);
    subtrees.push({ level, index, start: position % TILE_WIDTH, count: 2 ** (height % TILE_HEIGHT) });
    at += 2 ** height;
  }
  return subtrees;
}

function hashSubtree(subtree: Subtree, tiles: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const tile = tiles.get(tileKey(subtree)) as Uint8Array;
  const { start, count } = subtree;
  return perfectRoot(tile.subarray(start * HASH_BYTES, (start + count) * HASH_BYTES));
}

/** Each tile once, all at the same time, in the width that it has in a tree of `size`. */
async function readTiles(
  places: readonly TilePlace[],
  size: number,
  readTile: ReadTile,
): Promise<Map<string, Uint8Array>> {
  const distinct = new Map(places.map((place) => [tileKey(place), place]));
  const read = async ([key, { level, index }]: [string, TilePlace]) => {
    const width = tileWidth(level, index, size);
    const bytes = await readTile(level, index, width);
    if (!bytes || bytes.length < width * HASH_BYTES) {
      const found = bytes ? `${bytes.length} bytes` : 'nothing';
      throw new TlogError('TILE_MISSING', `tile ${level}/${index} must hold ${width} hashes, found ${found}`);
    }
    return [key, bytes.subarray(0, width * HASH_BYTES)] as const;
  };
  return new Map(await Promise.all([...distinct].map(read)));
}

function tileKey({ level, index }: TilePlace): string {
  return `${level}/${index}`;
}

function requireTreeState(state: TreeState): void {
  requireCount(state.size, 'tree size');
  for (let level = 0; level < state.edge.length || state.size >= TILE_WIDTH ** level; level += 1) {
    const width = Math.floor(state.size / TILE_WIDTH ** level) % TILE_WIDTH;
    if ((state.edge[level]?.length ?? 0) !== width * HASH_BYTES) {
      throw new TlogError('OUT_OF_RANGE', `the state's edge at level ${level} must hold ${width} hashes`);
    }
  }
}
