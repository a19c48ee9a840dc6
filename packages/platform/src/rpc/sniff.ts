import type { Socket } from 'node:net';

export type SniffedProtocol = 'tls' | 'http2' | 'http1';

/** First byte of a TLS handshake record (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;
/** RFC 9113 section 3.4. */
export const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What the bytes so far say; undefined while they are the beginning of more than one thing. */
export function protocolOf(bytes: Buffer): SniffedProtocol | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  const length = Math.min(bytes.length, HTTP2_PREFACE.length);
  if (!bytes.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) return 'http1';
  return length === HTTP2_PREFACE.length ? 'http2' : undefined;
}

/** Looks at the first bytes of a socket and puts them back, so that whoever gets it sees it untouched. */
export function sniffProtocol(socket: Socket, decide: (protocol: SniffedProtocol) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const protocol = protocolOf(seen);
    if (protocol === undefined) return;
    socket.off('readable', look);
    socket.off('end', giveUp);
    socket.pause();
    socket.unshift(seen);
    decide(protocol);
  };
  const giveUp = (): void => {
    socket.destroy();
  };
  socket.on('readable', look);
  socket.once('end', giveUp);
}
