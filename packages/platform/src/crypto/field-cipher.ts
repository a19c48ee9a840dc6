import { blindIndex } from './digest.ts';
import type { Keyring } from './keyring.ts';
import { readSealed } from './sealed-bytes.ts';

/** Where a value lives. It is authenticated, so a ciphertext copied to another row or column doesn't open (S4.3). */
export interface FieldPlace {
  readonly table: string;
  readonly column: string;
  readonly row: string;
}

export interface FieldCipher {
  seal(plaintext: string | Uint8Array, place: FieldPlace): Buffer;
  open(sealed: Uint8Array, place: FieldPlace): string;
  openBytes(sealed: Uint8Array, place: FieldPlace): Buffer;
  sealJson(value: unknown, place: FieldPlace): Buffer;
  openJson<T>(sealed: Uint8Array, place: FieldPlace): T;
  /** The blind index of a value for equality search; differs from column to column. */
  index(value: string, place: Omit<FieldPlace, 'row'>, keyId?: string): Buffer;
  /** Whether the value should be sealed again: it isn't under the active key. */
  isStale(sealed: Uint8Array): boolean;
  readonly activeKeyId: string;
  readonly keyIds: readonly string[];
}

export function createFieldCipher(keyring: Keyring): FieldCipher {
  const openAt = (sealed: Uint8Array, place: FieldPlace) => keyring.open('field', sealed, additionalData(place));
  const sealAt = (plaintext: string | Uint8Array, place: FieldPlace) =>
    keyring.seal('field', plaintext, additionalData(place));
  return {
    activeKeyId: keyring.activeKeyId,
    keyIds: keyring.keyIds,
    seal: sealAt,
    open: (sealed, place) => openAt(sealed, place).toString('utf8'),
    openBytes: openAt,
    sealJson: (value, place) => sealAt(JSON.stringify(value), place),
    openJson: (sealed, place) => JSON.parse(openAt(sealed, place).toString('utf8')),
    index: (value, place, keyId) => indexOf(keyring, value, place, keyId),
    isStale: (sealed) => readSealed(sealed).keyId !== keyring.activeKeyId,
  };
}

function indexOf(keyring: Keyring, value: string, place: Omit<FieldPlace, 'row'>, keyId?: string): Buffer {
  return blindIndex(keyring.subkey(`blind-index\n${place.table}.${place.column}`, keyId), value);
}

/** Length-prefixed, so that no two places give the same bytes. */
function additionalData({ table, column, row }: FieldPlace): Buffer {
  if (row === '') throw new RangeError('A sealed field belongs to a row: its id must be known before it is sealed.');
  return Buffer.from([table, column, row].map((part) => `${Buffer.byteLength(part)}:${part}`).join(''), 'utf8');
}
