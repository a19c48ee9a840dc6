import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { commonErrors } from '../errors/index.ts';

const gunzipAsync = promisify(gunzip);
const brotliDecompressAsync = promisify(brotliDecompress);

/** Reads a body whole, and not one byte more than allowed. */
export function receiveBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const declared = request.headers['content-length'];
    if (declared !== undefined && Number(declared) > limitBytes) {
      reject(commonErrors.BODY_TOO_LARGE());
      return;
    }
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limitBytes) {
        request.off('data', take);
        request.pause();
        reject(commonErrors.BODY_TOO_LARGE());
      } else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest, size)));
    request.once('error', (error) => reject(commonErrors.CANCELED({ cause: error })));
    request.once('close', () => {
      // It comes after `end` too, and an error costs more than the rest of a request.
      if (!request.readableEnded) reject(commonErrors.CANCELED());
    });
  });
}

const EMPTY = Buffer.alloc(0);

/** What a refused caller is still sending may go on for this long. */
const DISCARD_TIMEOUT_MS = 1_000;

/**
 * After an early answer the rest is read and thrown away for a moment, since a connection that is closed under a sender
 * often takes the answer with it (RFC 9112 section 9.6). Whoever goes on sending then is cut off.
 */
export function discardRestAfter(request: IncomingMessage, response: ServerResponse): void {
  const stream = (request as unknown as { stream?: ServerHttp2Stream }).stream;
  const { socket } = request;
  const discard = (): void => {
    if (request.complete) return;
    // Not cleared by `close` or `error`, which come with the end of the answer, whether the rest is here or not.
    const timer = setTimeout(() => {
      if (request.complete) return;
      if (stream === undefined) socket.destroy();
      else stream.destroy(); // RST_STREAM with NO_ERROR (RFC 9113 section 8.1)
    }, DISCARD_TIMEOUT_MS);
    request.once('end', () => clearTimeout(timer));
    // The request itself may be destroyed by now, by whoever stopped reading it.
    (stream ?? request).resume();
  };
  // Over HTTP/2 the response itself says `finish` only when both directions have ended.
  (stream ?? response).once('finish', discard);
}

/** Undoes the compression of a body; a bomb is cut off at the limit, not after it (S6.3). */
export async function decompressBody(encoding: 'gzip' | 'br', body: Buffer, limitBytes: number): Promise<Buffer> {
  const decompress = encoding === 'gzip' ? gunzipAsync : brotliDecompressAsync;
  try {
    return await decompress(body, { maxOutputLength: limitBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw commonErrors.BODY_TOO_LARGE();
    throw commonErrors.MALFORMED_REQUEST({ cause: error });
  }
}
