/**
 * Standard base64 with padding (RFC 4648 section 4), in its one canonical spelling: what comes back, encoded again, is
 * the same text. Node's own decoder skips foreign characters and ignores stray trailing bits, which would let one
 * signature or hash be written in many ways.
 */
export function bytesFromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
