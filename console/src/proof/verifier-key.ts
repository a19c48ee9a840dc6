import { TlogError } from '@strongroom/tlog/errors';
import { type Bytes, bytesFromBase64, isSameBytes, joinBytes, utf8 } from './bytes.ts';
import { sha256 } from './merkle.ts';

/** C2SP signed-note, "Signature types": a log signs by the first, a witness by the second. */
export const signatureTypes = { log: 0x01, witness: 0x04 } as const;

export const keyIdBytes = 4;
const publicKeyBytes = 32;

export interface VerifierKey {
  readonly kind: keyof typeof signatureTypes;
  readonly name: string;
  /** First four bytes of SHA-256(name || 0x0A || type || public key). */
  readonly id: Bytes;
  readonly publicKey: Bytes;
}

/** `<name>+<key id, 8 hex digits>+<base64(type || public key)>` (C2SP signed-note, "Verifier keys"). */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [, name, idText, material = ''] = /^([^+\s]{1,255})\+([0-9a-f]{8})\+(\S{1,64})$/.exec(text.trim()) ?? [];
  if (name === undefined || idText === undefined) throw malformed('a key reads name+key id+base64');
  const bytes = bytesFromBase64(material, 'the key');
  const type = bytes[0];
  if (bytes.length !== 1 + publicKeyBytes) throw malformed('an Ed25519 key is 32 bytes');
  if (type !== signatureTypes.log && type !== signatureTypes.witness) throw malformed('it is of an unknown type');
  const id = (await sha256(joinBytes(utf8(`${name}\n`), bytes))).slice(0, keyIdBytes);
  if (!isSameBytes(id, bytesFromHex(idText))) throw malformed(`the key id of ${name} is not its own`);
  return { kind: type === signatureTypes.log ? 'log' : 'witness', name, id, publicKey: bytes.slice(1) };
}

function bytesFromHex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function malformed(why: string): TlogError {
  return new TlogError('MALFORMED_KEY', `not a verifier key: ${why}`);
}
