import { TextDecoder } from 'node:util';
import { bytesFromBase64, bytesToBase64 } from './base64.ts';
import { canonicalJson } from './canonical-json.ts';
import { type AuditRecord, recordToCanonicalJson, SALT_BYTES } from './commitment.ts';
import { TlogError } from './errors.ts';
import { HASH_BYTES } from './hash.ts';
import { TILE_WIDTH } from './tile.ts';

/*
 * The export: UTF-8 text, one JSON value a line, each line ended by a newline and in canonical form (canonical-json.ts),
 * so that every byte of the file counts. In order:
 *
 *   header       {"checkpoints":[note…],"format":…,"logKeys":[key…],"minimumIndex":n,"origin":…,"tiles":true|false,
 *                 "witnessKeys":[key…]}
 *                checkpoints by growing size; the last one is the head: the file holds the rows 0 … head.size - 1
 *   tile         {"hashes":"base64 of the level-0 tile","tile":N}, before the rows it covers, if the header says tiles;
 *                "hashes" is null where the log has lost it
 *   row          {"index":n,"record":{…},"salt":"base64"}
 *   pruned row   {"index":n,"leafHash":"base64","pruned":true}; only below the minimum index the head has signed
 *   unreadable   {"index":n,"unreadable":"why"}: the stored row is no record any more
 *   end          {"count":rows written,"end":true}
 */
export const EXPORT_FORMAT = 'strongroom-audit-export/v1';

export const EXPORT_LINE_BYTES_MAX = 4_194_304;
export const EXPORT_CHECKPOINTS_MAX = 1_024;
export const EXPORT_KEYS_MAX = 64;
const UNREADABLE_CHARACTERS_MAX = 200;

export interface ExportHeader {
  readonly origin: string;
  /** Verifier keys in text form, type 1. */
  readonly logKeys: readonly string[];
  /** Verifier keys in text form, type 4. */
  readonly witnessKeys: readonly string[];
  /** Signed notes, by growing size. */
  readonly checkpoints: readonly string[];
  readonly minimumIndex: number;
  readonly tiles: boolean;
}

export type ExportLine =
  | { readonly kind: 'tile'; readonly tile: number; readonly hashes: Uint8Array | null }
  | { readonly kind: 'row'; readonly index: number; readonly canonical: string; readonly salt: Uint8Array }
  | { readonly kind: 'pruned'; readonly index: number; readonly leaf: Uint8Array }
  | { readonly kind: 'unreadable'; readonly index: number; readonly why: string }
  | { readonly kind: 'end'; readonly count: number };

export function formatHeader(header: ExportHeader): string {
  return `${canonicalJson({ format: EXPORT_FORMAT, ...header })}\n`;
}

export function formatTileLine(tile: number, hashes: Uint8Array | null): string {
  return `{"hashes":${hashes === null ? 'null' : `"${bytesToBase64(hashes)}"`},"tile":${tile}}\n`;
}

export function formatRowLine(index: number, canonical: string, salt: Uint8Array): string {
  return `{"index":${index},"record":${canonical},"salt":"${bytesToBase64(salt)}"}\n`;
}

export function formatPrunedLine(index: number, leaf: Uint8Array): string {
  return `{"index":${index},"leafHash":"${bytesToBase64(leaf)}","pruned":true}\n`;
}

export function formatUnreadableLine(index: number, why: string): string {
  return `${canonicalJson({ index, unreadable: why.toWellFormed().slice(0, UNREADABLE_CHARACTERS_MAX).toWellFormed() })}\n`;
}

export function formatEndLine(count: number): string {
  return `{"count":${count},"end":true}\n`;
}

/** Throws MALFORMED_EXPORT. */
export function parseHeader(line: string): ExportHeader {
  const value = parseJson(line);
  const { origin, logKeys, witnessKeys, checkpoints, minimumIndex, tiles } = value;
  if (value['format'] !== EXPORT_FORMAT) throw malformed(`the first line is no header of ${EXPORT_FORMAT}`);
  if (
    typeof origin !== 'string' ||
    typeof tiles !== 'boolean' ||
    !isCount(minimumIndex) ||
    !isTextList(logKeys, EXPORT_KEYS_MAX) ||
    !isTextList(witnessKeys, EXPORT_KEYS_MAX) ||
    !isTextList(checkpoints, EXPORT_CHECKPOINTS_MAX)
  ) {
    throw malformed('the header lacks something or holds something of another kind');
  }
  const header = { origin, logKeys, witnessKeys, checkpoints, minimumIndex, tiles };
  if (formatHeader(header) !== `${line}\n`) throw malformed('the header is not in canonical form');
  return header;
}

/** Parses any line after the header. Throws MALFORMED_EXPORT. */
export function parseLine(line: string): ExportLine {
  const value = parseJson(line);
  const [parsed, canonical] = 'tile' in value ? parseTile(value) : 'end' in value ? parseEnd(value) : parseRow(value);
  // Whitespace, another order of members or a member twice would be read in two ways by two readers.
  if (canonical !== `${line}\n`) throw malformed('the line is not in canonical form');
  return parsed;
}

type Parsed = [line: ExportLine, canonical: string];
type JsonObject = Record<string, unknown>;

function parseTile({ tile, hashes }: JsonObject): Parsed {
  const bytes = hashes === null ? null : toBytes(hashes);
  if (!isCount(tile) || bytes === undefined) throw malformed('the tile line lacks its number or its hashes');
  if (bytes && (bytes.length % HASH_BYTES !== 0 || bytes.length > TILE_WIDTH * HASH_BYTES)) {
    throw malformed('the tile line does not hold hashes of 32 bytes');
  }
  return [{ kind: 'tile', tile, hashes: bytes }, formatTileLine(tile, bytes)];
}

function parseEnd({ count }: JsonObject): Parsed {
  if (!isCount(count)) throw malformed('the end line lacks its count');
  return [{ kind: 'end', count }, formatEndLine(count)];
}

function parseRow({ index, record, salt, leafHash, unreadable }: JsonObject): Parsed {
  if (!isCount(index)) throw malformed('the row lacks its index');
  if (typeof unreadable === 'string') {
    return [{ kind: 'unreadable', index, why: unreadable }, formatUnreadableLine(index, unreadable)];
  }
  if (leafHash !== undefined) {
    const leaf = toBytes(leafHash);
    if (leaf?.length !== HASH_BYTES) throw malformed('the leaf hash of the pruned row is not 32 bytes');
    return [{ kind: 'pruned', index, leaf }, formatPrunedLine(index, leaf)];
  }
  const saltBytes = toBytes(salt);
  if (saltBytes?.length !== SALT_BYTES) throw malformed(`the salt is not ${SALT_BYTES} bytes of base64`);
  const canonical = recordToCanonicalJson(record as AuditRecord);
  return [{ kind: 'row', index, canonical, salt: saltBytes }, formatRowLine(index, canonical, saltBytes)];
}

function parseJson(line: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TlogError('MALFORMED_EXPORT', 'the line is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the line is no JSON object');
  return value as JsonObject;
}

/** Cuts a byte stream into lines, strictly: UTF-8, at most EXPORT_LINE_BYTES_MAX, the last one ended by a newline. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      yield decodeLine(decoder, line);
    }
    pendingBytes += chunk.length - start;
    if (pendingBytes > EXPORT_LINE_BYTES_MAX) throw malformed(`a line is longer than ${EXPORT_LINE_BYTES_MAX} bytes`);
    pending.push(chunk.subarray(start));
  }
  if (pendingBytes > 0) throw malformed('the file breaks off in the middle of a line');
}

/** Bytes that are no UTF-8 spoil their line, not the file: the line becomes one that no parser takes. */
function decodeLine(decoder: TextDecoder, line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch {
    return '\ufffd';
  }
}

function toBytes(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? bytesFromBase64(value) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTextList(value: unknown, lengthMax: number): value is string[] {
  return Array.isArray(value) && value.length <= lengthMax && value.every((item) => typeof item === 'string');
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_EXPORT', why);
}
