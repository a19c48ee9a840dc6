import { bytesFromBase64, bytesToBase64 } from './base64.ts';
import { type OpenedCheckpoint, openCheckpoint, type Trust } from './checkpoint.ts';
import { requireCount, TlogError } from './errors.ts';
import { HASH_BYTES } from './hash.ts';
import { NOTE_BYTES_MAX, parseNote } from './note.ts';
import { isInclusionProofValid, PROOF_HASHES_MAX } from './tree.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA_BYTES_MAX = 524_288;
const PROOF_CHARACTERS_MAX = 2 * (EXTRA_BYTES_MAX + NOTE_BYTES_MAX);

/** A C2SP tlog-proof: that an entry stands at an index of a checkpointed tree. */
export interface TlogProof {
  readonly index: number;
  /** The inclusion proof, leaf's sibling first; 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** The signed (and cosigned) checkpoint, verbatim. */
  readonly checkpoint: string;
  /** Opaque and NOT authenticated: never trust it before it has led to the leaf. */
  readonly extra?: Uint8Array;
}

/** The text of a `.tlog-proof` file (C2SP tlog-proof, "Format"). */
export function formatProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  requireCount(index, 'leaf index');
  const extraLine = extra === undefined ? [] : [`extra ${bytesToBase64(extra)}`];
  const head = [HEADER, ...extraLine, `index ${index}`, ...hashes.map(bytesToBase64)];
  const text = `${head.join('\n')}\n\n${checkpoint}`;
  parseProof(text);
  return text;
}

/** The reverse. Throws MALFORMED_PROOF or MALFORMED_NOTE; checks no signature and no hash. */
export function parseProof(text: string): TlogProof {
  if (text.length > PROOF_CHARACTERS_MAX) throw malformed('it is too long');
  const split = text.indexOf('\n\n');
  if (split < 0) throw malformed('it has no blank line');
  const [header, ...lines] = text.slice(0, split).split('\n');
  if (header !== HEADER) throw malformed(`it does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift() as string) : undefined;
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) throw malformed('it has no index');
  if (lines.length > PROOF_HASHES_MAX) throw malformed(`it has more than ${PROOF_HASHES_MAX} hashes`);
  const hashes = lines.map(parseHashLine);
  const checkpoint = text.slice(split + 2);
  parseNote(checkpoint);
  return { index: Number(index), hashes, checkpoint, ...(extra === undefined ? {} : { extra }) };
}

/**
 * Checks that `leaf` stands at the proof's index of a checkpoint the trusted keys signed. Throws INVALID_PROOF, or what
 * parseProof and openCheckpoint throw.
 */
export function openProof(text: string, leaf: Uint8Array, trust: Trust): OpenedCheckpoint & { index: number } {
  const { index, hashes, checkpoint } = parseProof(text);
  const opened = openCheckpoint(checkpoint, trust);
  const { size, root } = opened.checkpoint;
  if (!isInclusionProofValid({ leaf, index, size, proof: hashes, root })) {
    throw new TlogError('INVALID_PROOF', `the entry is not at index ${index} of the tree of ${size} entries`);
  }
  return { ...opened, index };
}

function parseExtra(line: string): Buffer {
  const extra = bytesFromBase64(line.slice('extra '.length));
  if (!extra || extra.length > EXTRA_BYTES_MAX) throw malformed('its extra data is not base64, or too long');
  return extra;
}

/** One base64 line of a Merkle proof, here and in tlog-witness requests. Throws MALFORMED_PROOF. */
export function parseHashLine(line: string): Buffer {
  const bytes = bytesFromBase64(line);
  if (bytes?.length !== HASH_BYTES) throw malformed('a line is not the base64 of 32 bytes');
  return bytes;
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_PROOF', `not a tlog-proof: ${why}`);
}
