import { TlogError } from '@strongroom/tlog/errors';
import { type Bytes, bytesFromBase64, isSameBytes, joinBytes, utf8 } from './bytes.ts';
import { keyIdBytes, type VerifierKey } from './verifier-key.ts';

const emDash = '\u2014';
const signatureBytes = 64;
const timestampBytes = 8;
const signaturesMax = 100;

interface NoteSignature {
  readonly name: string;
  readonly keyId: Bytes;
  readonly signature: Bytes;
}

export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Splits a note into text and signatures, without checking any (C2SP signed-note, "Format"). */
export function parseNote(note: string): Note {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters a note may not hold.
  if (!note.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(note)) throw malformed('it holds control characters');
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw malformed('it has no blank line, or does not end in a newline');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > signaturesMax) throw malformed(`it has more than ${signaturesMax} signatures`);
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name = '', base64 = '', ...more] = line.split(' ');
  if (dash !== emDash || name === '' || more.length > 0) throw malformed('a signature line is not «— name base64»');
  const blob = bytesFromBase64(base64, 'a signature');
  if (blob.length <= keyIdBytes) throw malformed('a signature is too short');
  return { name, keyId: blob.slice(0, keyIdBytes), signature: blob.slice(keyIdBytes) };
}

/**
 * Whether the key has signed the note: undefined where it has not at all, false where its signature does not fit. A log
 * signs the text; a witness signs the text with the time before it, which comes first in the signature.
 */
export async function checkSignature(
  note: Note,
  key: VerifierKey,
): Promise<{ holds: boolean; timeS?: bigint } | undefined> {
  const found = note.signatures.find(({ name, keyId }) => name === key.name && isSameBytes(keyId, key.id));
  if (found === undefined) return undefined;
  if (key.kind === 'log') return { holds: await isSigned(key, utf8(note.text), found.signature) };
  if (found.signature.length !== timestampBytes + signatureBytes) return { holds: false };
  const timeS = new DataView(found.signature.buffer).getBigUint64(0);
  const message = joinBytes(utf8(`cosignature/v1\ntime ${timeS}\n`), utf8(note.text));
  return { holds: await isSigned(key, message, found.signature.slice(timestampBytes)), timeS };
}

async function isSigned({ publicKey }: VerifierKey, message: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== signatureBytes) return false;
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, message);
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_NOTE', `not a signed note: ${why}`);
}
