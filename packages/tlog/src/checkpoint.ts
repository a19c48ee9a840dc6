import { bytesFromBase64, bytesToBase64 } from './base64.ts';
import { cosignatureTimestamp, createCosignatureVerifier } from './cosignature.ts';
import { requireCount, TlogError } from './errors.ts';
import { HASH_BYTES, requireHash } from './hash.ts';
import {
  createNoteVerifier,
  type NoteSigner,
  parseNote,
  signNote,
  type VerifierKey,
  verifySignatures,
} from './note.ts';

const MINIMUM_INDEX_EXTENSION = 'minimum-index ';

export interface Checkpoint {
  /** The log's identity, a schema-less URL by custom. Here it is also the name of the log's key. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Further lines, signed but opaque to witnesses (C2SP tlog-checkpoint, "Note text", 4). */
  readonly extensions: readonly string[];
}

/** The public keys a reader trusts. */
export interface Trust {
  /** The log's identity. */
  readonly origin: string;
  /** Type 1. One is enough; several while the log's key is rotated. */
  readonly logKeys: readonly VerifierKey[];
  /** Type 4. */
  readonly witnessKeys: readonly VerifierKey[];
  /** How many of the witnesses must have cosigned; 0 takes the log's word alone. */
  readonly quorum: number;
}

export interface Cosignature {
  readonly name: string;
  readonly timestampSeconds: number;
  /** The signature line, with its newline. */
  readonly line: string;
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Of trusted witnesses, in the note's order. */
  readonly cosignatures: readonly Cosignature[];
  /** The log's own signature lines that hold. */
  readonly logLines: readonly string[];
}

/** The note text of C2SP tlog-checkpoint: origin, size, base64 root, extension lines. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  requireCount(size, 'tree size');
  requireHash(root, 'root hash');
  const lines = [origin, String(size), bytesToBase64(root), ...extensions];
  if (lines.some((line) => line === '' || line.includes('\n'))) {
    throw new TlogError('MALFORMED_CHECKPOINT', 'the lines of a checkpoint are neither empty nor broken');
  }
  return `${lines.join('\n')}\n`;
}

/** The reverse. Throws MALFORMED_CHECKPOINT. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const end = lines.pop();
  const [origin = '', size = '', root = '', ...extensions] = lines;
  const rootBytes = bytesFromBase64(root);
  const sizeNumber = /^(0|[1-9][0-9]{0,15})$/.test(size) ? Number(size) : Number.NaN;
  if (end !== '' || lines.includes('') || !Number.isSafeInteger(sizeNumber) || rootBytes?.length !== HASH_BYTES) {
    throw new TlogError('MALFORMED_CHECKPOINT', 'not a checkpoint: origin, size, root hash, extension lines');
  }
  return { origin, size: sizeNumber, root: rootBytes, extensions };
}

/** The checkpoint of a note whose signatures nobody has checked yet. */
export function parseUnverifiedCheckpoint(note: string | Uint8Array): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}

export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): Promise<string> {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Checks a checkpoint by the trusted keys. Throws UNTRUSTED_NOTE (not signed by a log key, or of another origin),
 * BAD_SIGNATURE, UNWITNESSED (fewer cosignatures than the quorum), MALFORMED_NOTE or MALFORMED_CHECKPOINT.
 */
export function openCheckpoint(note: string | Uint8Array, trust: Trust): OpenedCheckpoint {
  requireTrust(trust);
  const { text, signatures } = parseNote(note);
  const logSignatures = verifySignatures(text, signatures, trust.logKeys.map(createNoteVerifier));
  if (logSignatures.length === 0) {
    throw new TlogError('UNTRUSTED_NOTE', `the checkpoint is not signed by ${keyNames(trust.logKeys)}`);
  }
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== trust.origin) {
    throw new TlogError('UNTRUSTED_NOTE', `the checkpoint is of ${checkpoint.origin}, not of ${trust.origin}`);
  }
  const cosignatures = verifySignatures(text, signatures, trust.witnessKeys.map(createCosignatureVerifier)).map(
    ({ name, signature, line }) => ({ name, timestampSeconds: cosignatureTimestamp(signature) as number, line }),
  );
  if (cosignatures.length < trust.quorum) {
    const wanted = `${trust.quorum} of ${keyNames(trust.witnessKeys)}`;
    throw new TlogError(
      'UNWITNESSED',
      `the checkpoint of size ${checkpoint.size} carries ${cosignatures.length} cosignatures, wanted ${wanted}`,
    );
  }
  return { checkpoint, cosignatures, logLines: logSignatures.map(({ line }) => line) };
}

/**
 * The index below which entries may have been pruned (C2SP tlog-tiles, "Pruning"), as a signed extension line
 * `minimum-index <n>`. tlog-tiles leaves open how it is published; signing it keeps a log from pruning at will.
 */
export function minimumIndexToExtensions(minimumIndex: number): string[] {
  requireCount(minimumIndex, 'minimum index');
  return minimumIndex === 0 ? [] : [`${MINIMUM_INDEX_EXTENSION}${minimumIndex}`];
}

/** 0 where the checkpoint names none. Throws MALFORMED_CHECKPOINT. */
export function minimumIndexFromCheckpoint({ extensions, size }: Checkpoint): number {
  const values = extensions.filter((line) => line.startsWith(MINIMUM_INDEX_EXTENSION));
  if (values.length === 0) return 0;
  const text = (values[0] as string).slice(MINIMUM_INDEX_EXTENSION.length);
  const minimumIndex = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (values.length > 1 || !(minimumIndex <= size)) {
    throw new TlogError('MALFORMED_CHECKPOINT', 'the minimum index must be one number, at most the tree size');
  }
  return minimumIndex;
}

function requireTrust({ witnessKeys, quorum }: Trust): void {
  requireCount(quorum, 'quorum');
  // C2SP tlog-cosignature: v1 does not sign the witness's name, so one key under two names could vote twice.
  const distinct = new Set(witnessKeys.map(({ publicKey }) => bytesToBase64(publicKey)));
  if (distinct.size !== witnessKeys.length) {
    throw new TlogError('MALFORMED_KEY', 'the same witness key is trusted twice');
  }
  if (quorum > witnessKeys.length) {
    throw new TlogError('OUT_OF_RANGE', `a quorum of ${quorum} needs as many witness keys, got ${witnessKeys.length}`);
  }
}

function keyNames(keys: readonly VerifierKey[]): string {
  return keys.length === 0 ? 'any key (none is trusted)' : keys.map(({ name }) => name).join(', ');
}
