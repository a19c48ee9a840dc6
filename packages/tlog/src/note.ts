import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { TextDecoder } from 'node:util';
import { bytesFromBase64, bytesToBase64 } from './base64.ts';
import { TlogError } from './errors.ts';
import { sha256 } from './hash.ts';

/** C2SP signed-note, "Signature types". Only these two are known here; others are signatures of unknown keys. */
export const SIGNATURE_TYPE_ED25519 = 0x01;
export const SIGNATURE_TYPE_COSIGNATURE = 0x04;

/** C2SP signed-note asks verifiers to bound a note and to accept at least 16 signatures; Go's reference takes 100. */
export const NOTE_BYTES_MAX = 262_144;
export const NOTE_SIGNATURES_MAX = 100;

const KEY_NAME_CHARACTERS_MAX = 255;
const KEY_ID_BYTES = 4;
const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
// RFC 8410: what stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo and in PKCS #8.
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const EM_DASH = '\u2014';

export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name || 0x0A || type || public key), a big-endian number. */
  readonly id: number;
  readonly type: typeof SIGNATURE_TYPE_ED25519 | typeof SIGNATURE_TYPE_COSIGNATURE;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
}

/** Checks the signatures of one key. `text` is the note's text; `signature` comes without the key id. */
export interface NoteVerifier {
  readonly key: VerifierKey;
  isValid(text: string, signature: Uint8Array): boolean;
}

/** Makes signatures of one key. May be asynchronous, for keys that live in a key management service. */
export interface NoteSigner {
  readonly key: VerifierKey;
  sign(text: string): Uint8Array | Promise<Uint8Array>;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
  /** The whole line as it stood, with its newline. */
  readonly line: string;
}

export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Splits a note into text and signatures, without checking any (C2SP signed-note, "Format"). */
export function parseNote(note: string | Uint8Array): Note {
  const whole = noteToString(note);
  // "The text is separated from the signatures by the last empty line in the note."
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !whole.endsWith('\n')) throw malformed('it has no blank line, or does not end in a newline');
  const lines = whole.slice(split + 2).split('\n');
  lines.pop();
  if (lines.length === 0) throw malformed('it has no signatures');
  if (lines.length > NOTE_SIGNATURES_MAX) throw malformed(`it has more than ${NOTE_SIGNATURES_MAX} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

/**
 * Checks a note by the given keys and gives the signatures that hold, one a key. Signatures of unknown keys are
 * ignored. Throws BAD_SIGNATURE if a known key's signature fails, UNTRUSTED_NOTE if no known key signed.
 */
export function openNote(
  note: string | Uint8Array,
  verifiers: readonly NoteVerifier[],
): { text: string; verified: NoteSignature[] } {
  const { text, signatures } = parseNote(note);
  const verified = verifySignatures(text, signatures, verifiers);
  if (verified.length === 0) throw new TlogError('UNTRUSTED_NOTE', 'the note has no signature of a trusted key');
  return { text, verified };
}

/** The part of openNote that may find nothing. */
export function verifySignatures(
  text: string,
  signatures: readonly NoteSignature[],
  verifiers: readonly NoteVerifier[],
): NoteSignature[] {
  const verified = new Map<NoteVerifier, NoteSignature>();
  for (const signature of signatures) {
    const verifier = verifiers.find(({ key }) => key.name === signature.name && key.id === signature.keyId);
    if (!verifier || verified.has(verifier)) continue;
    if (!verifier.isValid(text, signature.signature)) {
      throw new TlogError('BAD_SIGNATURE', `the signature of ${signature.name} does not fit the note's text`);
    }
    verified.set(verifier, signature);
  }
  return [...verified.values()];
}

/** Signs a text (ending in a newline) with each key, in order. */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  const lines = await Promise.all(signers.map((signer) => signatureLine(text, signer)));
  const note = `${text}\n${lines.join('')}`;
  // What goes out must come in again: catches texts that are no valid note.
  if (parseNote(note).text !== text) throw malformed('its text cannot be told from its signatures');
  return note;
}

/** Adds signature lines, say a witness's, to a note. */
export function appendSignatureLines(note: string, lines: readonly string[]): string {
  const longer = note + lines.join('');
  if (parseNote(longer).text !== parseNote(note).text) throw malformed('the added lines are not signature lines');
  return longer;
}

/** One signature line with its newline: em dash, name, base64(key id || signature). */
export async function signatureLine(text: string, signer: NoteSigner): Promise<string> {
  noteToString(text);
  const blob = Buffer.concat([keyIdToBytes(signer.key.id), await signer.sign(text)]);
  return `${EM_DASH} ${signer.key.name} ${bytesToBase64(blob)}\n`;
}

/** A log's signatures: plain Ed25519 over the text (C2SP signed-note, "Ed25519 signatures"). */
export function createNoteVerifier(key: VerifierKey): NoteVerifier {
  requireType(key, SIGNATURE_TYPE_ED25519);
  const isValid = createEd25519Check(key.publicKey);
  return { key, isValid: (text, signature) => isValid(Buffer.from(text, 'utf8'), signature) };
}

export function createNoteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const key = createVerifierKey(name, SIGNATURE_TYPE_ED25519, rawPublicKey(privateKey));
  return { key, sign: (text) => sign(null, Buffer.from(text, 'utf8'), privateKey) };
}

/** Ed25519 (RFC 8032) by node:crypto; false, never an exception, for whatever is no signature. */
export function createEd25519Check(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean {
  const der = Buffer.concat([SPKI_PREFIX, publicKey]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return (message, signature) => signature.length === ED25519_SIGNATURE_BYTES && verify(null, message, key, signature);
}

export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== ED25519_KEY_BYTES) throw new TlogError('MALFORMED_KEY', 'an Ed25519 seed is 32 bytes');
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of RFC 8032 that belong to an Ed25519 private or public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new TlogError('MALFORMED_KEY', 'only Ed25519 keys sign notes');
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

export function createVerifierKey(name: string, type: VerifierKey['type'], publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new TlogError('MALFORMED_KEY', 'a key name has no spaces, no plus and is not empty');
  if (publicKey.length !== ED25519_KEY_BYTES) throw new TlogError('MALFORMED_KEY', 'an Ed25519 key is 32 bytes');
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(type), publicKey])).readUInt32BE(0);
  return { name, id, type, publicKey };
}

/** `<name>+<key id, 8 hex digits>+<base64(type || public key)>` (C2SP signed-note, "Verifier keys"). */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${keyIdToBytes(id).toString('hex')}+${bytesToBase64(Buffer.concat([Buffer.of(type), publicKey]))}`;
}

/** The reverse. Throws MALFORMED_KEY, also where the id does not belong to the key or the type is unknown. */
export function parseVerifierKey(text: string): VerifierKey {
  const match = text.length <= 2 * KEY_NAME_CHARACTERS_MAX ? /^([^+]+)\+([0-9a-f]{8})\+([^\s]+)$/.exec(text) : null;
  const [, name = '', id = '', material = ''] = match ?? [];
  const bytes = bytesFromBase64(material);
  const type = bytes?.[0];
  if (!match || !bytes || (type !== SIGNATURE_TYPE_ED25519 && type !== SIGNATURE_TYPE_COSIGNATURE)) {
    throw new TlogError('MALFORMED_KEY', 'a verifier key reads name+key id+base64, of type 1 (log) or 4 (witness)');
  }
  const key = createVerifierKey(name, type, bytes.subarray(1));
  if (key.id !== Number.parseInt(id, 16)) throw new TlogError('MALFORMED_KEY', `the key id of ${name} is not its own`);
  return key;
}

export function requireType(key: VerifierKey, type: VerifierKey['type']): void {
  if (key.type === type) return;
  const kind = type === SIGNATURE_TYPE_ED25519 ? 'log key (type 1)' : 'witness key (type 4)';
  throw new TlogError('MALFORMED_KEY', `${key.name} is not a ${kind}`);
}

/** "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B) characters." */
function isKeyName(name: string): boolean {
  return name.length <= KEY_NAME_CHARACTERS_MAX && name.isWellFormed() && /^[^\p{White_Space}\p{Cc}+]+$/u.test(name);
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name = '', base64 = '', ...more] = line.split(' ');
  const blob = bytesFromBase64(base64);
  if (dash !== EM_DASH || !isKeyName(name) || more.length > 0 || !blob || blob.length <= KEY_ID_BYTES) {
    throw malformed('a signature line is not «— name base64»');
  }
  return { name, keyId: blob.readUInt32BE(0), signature: blob.subarray(KEY_ID_BYTES), line: `${line}\n` };
}

/** "Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters … other than newline." */
function noteToString(note: string | Uint8Array): string {
  const bytes = typeof note === 'string' ? Buffer.byteLength(note, 'utf8') : note.length;
  if (bytes > NOTE_BYTES_MAX) throw malformed(`it is longer than ${NOTE_BYTES_MAX} bytes`);
  const text = typeof note === 'string' ? note : decodeUtf8(note);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters a note may not hold.
  if (!text.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(text)) {
    throw malformed('it is not valid UTF-8 free of control characters');
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // ignoreBOM keeps a leading U+FEFF: dropping it would verify another text than the one that was signed.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TlogError('MALFORMED_NOTE', 'the note is not valid UTF-8', { cause });
  }
}

function keyIdToBytes(id: number): Buffer {
  const bytes = Buffer.alloc(KEY_ID_BYTES);
  bytes.writeUInt32BE(id);
  return bytes;
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_NOTE', `not a signed note: ${why}`);
}
