import { type CanonicalValue, canonicalJson } from '@strongroom/tlog/canonical-json';
import { TlogError } from '@strongroom/tlog/errors';
import { type Bytes, bytesFromBase64, joinBytes, utf8 } from './bytes.ts';
import { hashBytes, leafHash, proofHashesMax } from './merkle.ts';
import { type Note, parseNote } from './note.ts';

const header = 'c2sp.org/tlog-proof@v1';
const charactersMax = 2_097_152;
const saltBytes = 32;

/** A C2SP tlog-proof whose extra data opens the commitment: the record, and the salt of its leaf. */
export interface Receipt {
  readonly record: Readonly<Record<string, CanonicalValue>>;
  readonly salt: Bytes;
  readonly index: number;
  readonly hashes: readonly Bytes[];
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
}

/** Reads a receipt; nothing in it is believed yet. */
export function parseReceipt(text: string): Receipt {
  if (text.length > charactersMax) throw malformed('it is too long');
  const split = text.indexOf('\n\n');
  const [first, extra = '', indexLine = '', ...hashLines] = text.slice(0, Math.max(split, 0)).split('\n');
  if (first !== header) throw malformed(`it does not begin with ${header}`);
  if (!extra.startsWith('extra ')) throw malformed('it holds no record: the record is past its retention');
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine)?.[1];
  if (index === undefined) throw malformed('it has no index');
  if (hashLines.length > proofHashesMax) throw malformed(`it has more than ${proofHashesMax} hashes`);
  const note = parseNote(text.slice(split + 2));
  return {
    ...parseExtra(bytesFromBase64(extra.slice('extra '.length), 'its record')),
    index: Number(index),
    hashes: hashLines.map((line) => hashOf(line, 'a hash')),
    note,
    checkpoint: parseCheckpoint(note.text),
  };
}

/** Only the canonical spelling: what a person reads is then exactly what is hashed. */
function parseExtra(extra: Bytes): Pick<Receipt, 'record' | 'salt'> {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(extra);
  const { record, salt } = JSON.parse(text) as { record: Receipt['record']; salt: string };
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw malformed('its record is no object');
  if (canonicalJson({ record, salt }) !== text) throw malformed('its record is not in canonical form');
  const bytes = bytesFromBase64(salt, 'its salt');
  if (bytes.length !== saltBytes) throw malformed(`a salt is ${saltBytes} bytes`);
  return { record, salt: bytes };
}

/** The lines of C2SP tlog-checkpoint: origin, size, root. Those after them are signed, and say nothing here. */
function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = ''] = text.split('\n');
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size)) throw malformed('its checkpoint has no origin or size');
  return { origin, size: Number(size), root: hashOf(root, 'the root') };
}

function hashOf(line: string, what: string): Bytes {
  const bytes = bytesFromBase64(line, what);
  if (bytes.length !== hashBytes) throw malformed(`${what} is not 32 bytes`);
  return bytes;
}

/** The leaf that commits to a record: packages/tlog/src/commitment.ts has the format, which can never change. */
export async function leafOf({ record, salt }: Pick<Receipt, 'record' | 'salt'>): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', salt, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const message = joinBytes(utf8('strongroom-audit-record/v1\n'), utf8(canonicalJson(record)));
  return leafHash(new Uint8Array(await crypto.subtle.sign('HMAC', key, message)));
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_PROOF', `not a receipt: ${why}`);
}
