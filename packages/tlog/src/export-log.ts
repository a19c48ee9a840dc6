import { minimumIndexFromCheckpoint, parseUnverifiedCheckpoint } from './checkpoint.ts';
import { type AuditRecord, recordToCanonicalJson, SALT_BYTES } from './commitment.ts';
import { TlogError } from './errors.ts';
import {
  type ExportHeader,
  formatEndLine,
  formatHeader,
  formatPrunedLine,
  formatRowLine,
  formatTileLine,
  formatUnreadableLine,
} from './export-format.ts';
import { HASH_BYTES, requireHash } from './hash.ts';
import { type ReadTile, TILE_WIDTH, tileWidth } from './tile.ts';

/** Lines are gathered to about this much before they are handed on. */
const CHUNK_CHARACTERS = 65_536;

export type ExportRow =
  | { readonly index: number; readonly record: AuditRecord; readonly salt: Uint8Array }
  | { readonly index: number; readonly leafHash: Uint8Array };

export interface ExportOptions {
  readonly origin: string;
  /** Verifier keys in text form (formatVerifierKey). */
  readonly logKeys: readonly string[];
  readonly witnessKeys: readonly string[];
  /** Signed notes by growing size; the last one is the head. More of them place a rewritten row more exactly. */
  readonly checkpoints: readonly string[];
  /** The stored rows with index < head size, in the order of their index; a pruned row gives its leaf hash. */
  readonly rows: AsyncIterable<ExportRow> | Iterable<ExportRow>;
  /** The stored level-0 tiles: with them a changed row is placed exactly. */
  readonly readTile?: ReadTile;
}

/**
 * Writes an export, holding one tile and one chunk in memory. Rows that are missing, doubled or no record any more are
 * exported as they are found: the verifier, not the writer, says what is wrong. Throws OUT_OF_RANGE for a row the head
 * does not cover, MALFORMED_CHECKPOINT or MALFORMED_NOTE for a checkpoint.
 */
export async function* exportLog(options: ExportOptions): AsyncGenerator<Buffer> {
  const { origin, logKeys, witnessKeys, checkpoints, rows, readTile } = options;
  const head = parseUnverifiedCheckpoint(checkpoints.at(-1) ?? '');
  const minimumIndex = minimumIndexFromCheckpoint(head);
  const header: ExportHeader = { origin, logKeys, witnessKeys, checkpoints, minimumIndex, tiles: !!readTile };
  const tileCount = readTile ? Math.ceil(head.size / TILE_WIDTH) : 0;
  let text = formatHeader(header);
  let tilesWritten = 0;
  let count = 0;
  const tilesBefore = async function* (end: number): AsyncGenerator<string> {
    for (; tilesWritten < Math.min(end, tileCount); tilesWritten += 1) {
      yield await tileLine(tilesWritten, head.size, readTile as ReadTile);
    }
  };
  for await (const row of rows) {
    if (!(row.index < head.size)) {
      throw new TlogError('OUT_OF_RANGE', `row ${row.index} is beyond the checkpoint of size ${head.size}`);
    }
    for await (const line of tilesBefore(Math.floor(row.index / TILE_WIDTH) + 1)) text += line;
    text += rowLine(row);
    count += 1;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text, 'utf8');
      text = '';
    }
  }
  for await (const line of tilesBefore(tileCount)) {
    yield Buffer.from(text + line, 'utf8');
    text = '';
  }
  yield Buffer.from(text + formatEndLine(count), 'utf8');
}

function rowLine(row: ExportRow): string {
  if ('leafHash' in row) {
    requireHash(row.leafHash, 'leaf hash');
    return formatPrunedLine(row.index, row.leafHash);
  }
  try {
    if (row.salt.length !== SALT_BYTES) throw new TlogError('OUT_OF_RANGE', `its salt is not ${SALT_BYTES} bytes`);
    return formatRowLine(row.index, recordToCanonicalJson(row.record), row.salt);
  } catch (error) {
    // A row someone has turned into something that cannot be a record must not keep the others from being checked.
    if (error instanceof TlogError) return formatUnreadableLine(row.index, error.message);
    throw error;
  }
}

async function tileLine(tile: number, size: number, readTile: ReadTile): Promise<string> {
  const width = tileWidth(0, tile, size);
  const bytes = await readTile(0, tile, width);
  const isStored = bytes !== undefined && bytes.length >= width * HASH_BYTES;
  return formatTileLine(tile, isStored ? bytes.subarray(0, width * HASH_BYTES) : null);
}
