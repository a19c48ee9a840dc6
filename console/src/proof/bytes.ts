import { TlogError } from '@strongroom/tlog/errors';

const encoder = new TextEncoder();

export type Bytes = Uint8Array<ArrayBuffer>;

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Standard base64 in its one canonical spelling (RFC 4648 section 4): another spelling of the same bytes is refused. */
export function bytesFromBase64(text: string, what: string): Bytes {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    if (bytesToBase64(bytes) === text) return bytes;
  } catch {
    // Not base64 at all: refused below like every other spelling.
  }
  throw new TlogError('MALFORMED_PROOF', `${what} is not canonical base64`);
}

export function bytesToBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

export function joinBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Compares public values, so an ordinary comparison is right here. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
