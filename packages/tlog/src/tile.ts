import { requireCount, TlogError } from './errors.ts';
import { HASH_BYTES, joinNeighbours } from './hash.ts';

/** C2SP tlog-tiles, "Merkle Tree": a tile spans 8 levels, so a full one holds 2^8 hashes, 8,192 bytes. */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;
export const TILE_LEVEL_MAX = 63;

/** C2SP tlog-tiles, "Log entries": a uint16 length stands before each entry. */
export const ENTRY_BYTES_MAX = 0xffff;
const ENTRY_LENGTH_BYTES = 2;
const PATH_CHARACTERS_MAX = 128;

export interface TileAddress {
  /** 0 to 63, or 'entries' for an entry bundle. */
  readonly level: number | 'entries';
  /** The tile's number within its level, from 0. */
  readonly index: number;
  /** Hashes or entries in it: 256 for a full tile, 1 to 255 for a partial one. */
  readonly width: number;
}

/**
 * How a log's tiles are read. Must give at least `width * 32` bytes: the first `width` hashes of the tile (a partial
 * tile is a prefix of its full one, so a wider tile will do); undefined where it is not stored.
 */
export type ReadTile = (
  level: number,
  index: number,
  width: number,
) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** How many hashes tile `index` of `level` holds in a tree of `size` leaves: 0 (no such tile) to 256. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashesInLevel = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashesInLevel - index * TILE_WIDTH));
}

/** `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]` (C2SP tlog-tiles, "Merkle Tree", "Log entries"). */
export function tilePath(tile: TileAddress): string {
  requireTile(tile);
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `tile/${tile.level}/${indexToPath(tile.index)}${partial}`;
}

/** The reverse of tilePath. Only the one canonical spelling of a tile is taken; else throws MALFORMED_TILE. */
export function parseTilePath(path: string): TileAddress {
  const match =
    path.length <= PATH_CHARACTERS_MAX
      ? /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path)
      : null;
  const [, level = '', number = '', width] = match ?? [];
  const tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(number.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  } as const;
  if (!match || !isTile(tile) || tilePath(tile) !== path) {
    throw new TlogError('MALFORMED_TILE', 'not a tile path of C2SP tlog-tiles');
  }
  return tile;
}

/** Zero-padded path elements of three digits, all but the last with an x: 1234067 is x001/x234/067. */
function indexToPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const elements = padded.match(/[0-9]{3}/g) ?? [];
  return elements.map((element, at) => (at === elements.length - 1 ? element : `x${element}`)).join('/');
}

/** Entries, each after its big-endian uint16 length (C2SP tlog-tiles, "Log entries"). */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Buffer {
  if (entries.length > TILE_WIDTH) {
    throw new TlogError('MALFORMED_TILE', `a bundle holds at most ${TILE_WIDTH} entries, got ${entries.length}`);
  }
  const parts = entries.flatMap((entry) => {
    if (entry.length > ENTRY_BYTES_MAX) {
      throw new TlogError('MALFORMED_TILE', `an entry holds at most ${ENTRY_BYTES_MAX} bytes, got ${entry.length}`);
    }
    const length = Buffer.alloc(ENTRY_LENGTH_BYTES);
    length.writeUInt16BE(entry.length);
    return [length, entry];
  });
  return Buffer.concat(parts);
}

export function decodeEntryBundle(bundle: Uint8Array): Buffer[] {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at + ENTRY_LENGTH_BYTES;
    const end = start <= bytes.length ? start + bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length || entries.length === TILE_WIDTH) {
      throw new TlogError('MALFORMED_TILE', `the entry bundle is cut short or too long at byte ${at}`);
    }
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return entries;
}

/** Cuts a tile's bytes into its hashes (views on the same memory). */
export function hashesFromTile(tile: Uint8Array): Uint8Array[] {
  if (tile.length % HASH_BYTES !== 0 || tile.length > TILE_WIDTH * HASH_BYTES) {
    throw new TlogError('MALFORMED_TILE', `a tile is at most ${TILE_WIDTH} hashes of 32 bytes, got ${tile.length}`);
  }
  return Array.from({ length: tile.length / HASH_BYTES }, (_, at) =>
    tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

/** The root over a power of two of neighbouring hashes of one tile, given as they lie in it. */
export function perfectRoot(hashes: Uint8Array): Buffer {
  const level = Buffer.from(hashes);
  for (let bytes = level.length; bytes > HASH_BYTES; bytes /= 2) {
    for (let to = 0; to < bytes / 2; to += HASH_BYTES) joinNeighbours(level, 2 * to, to);
  }
  return Buffer.from(level.subarray(0, HASH_BYTES));
}

function isTile({ level, index, width }: TileAddress): boolean {
  const levelFits = level === 'entries' || (Number.isSafeInteger(level) && level >= 0 && level <= TILE_LEVEL_MAX);
  return levelFits && Number.isSafeInteger(index) && index >= 0 && width >= 1 && width <= TILE_WIDTH;
}

function requireTile(tile: TileAddress): void {
  requireCount(tile.index, 'tile index');
  requireCount(tile.width, 'tile width');
  if (!isTile(tile)) {
    throw new TlogError('MALFORMED_TILE', `no such tile: level ${tile.level}, width ${tile.width}`);
  }
}
