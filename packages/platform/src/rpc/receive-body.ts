import type { IncomingMessage } from 'node:http';
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
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) {
        request.pause();
        reject(commonErrors.BODY_TOO_LARGE());
      } else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    });
    request.once('end', () => resolve(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest, size)));
    request.once('error', (error) => reject(commonErrors.CANCELED({ cause: error })));
    request.once('close', () => reject(commonErrors.CANCELED())); // after `end` this changes nothing
  });
}

const EMPTY = Buffer.alloc(0);

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
