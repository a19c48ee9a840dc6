import type { ServerResponse } from 'node:http';
import type { ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';
import { codeToHttpStatus, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import type { ServerCall } from './server-call.ts';

export type HeaderList = Record<string, string | string[]>;

/** As in the stock implementation: smaller answers aren't worth the work. */
const COMPRESS_MIN_BYTES = 1_024;
const OK = 200;

export interface AnswerOptions {
  /** Headers that every answer carries: helmet's. */
  readonly baseHeaders: HeaderList;
  readonly response: ServerResponse;
  readonly call: ServerCall;
  readonly compression: Compression | null;
}

export async function answerMessage(options: AnswerOptions, body: Uint8Array, contentType: string): Promise<void> {
  const headers: HeaderList = { ...options.baseHeaders, 'content-type': contentType };
  await write(options, OK, headers, body);
}

export async function answerError(options: AnswerOptions, error: ConnectError): Promise<void> {
  const headers: HeaderList = { ...options.baseHeaders, 'content-type': 'application/json' };
  if (!error.isWireError) addHeaders(headers, error.metadata);
  await write(options, codeToHttpStatus(error.code), headers, errorToJsonBytes(error, undefined));
}

async function write(options: AnswerOptions, status: number, headers: HeaderList, body: Uint8Array): Promise<void> {
  const { response, call, compression } = options;
  const { header, trailer } = call.touchedResponse;
  addHeaders(headers, header);
  // Unary trailers travel as headers (Connect protocol, Unary-Response).
  addHeaders(headers, trailer, 'trailer-');
  let payload = body;
  if (compression !== null && body.byteLength >= COMPRESS_MIN_BYTES) {
    payload = await compression.compress(body);
    headers['content-encoding'] = compression.name;
  }
  headers['content-length'] = String(payload.byteLength);
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, headers);
  response.end(payload);
}

function addHeaders(headers: HeaderList, added: Headers | undefined, prefix = ''): void {
  if (added === undefined) return;
  for (const [name, value] of added) {
    if (name === 'content-type' || name === 'content-length') continue;
    const full = prefix + name;
    if (full === 'set-cookie') headers[full] = [...[headers[full] ?? []].flat(), value];
    else headers[full] = value;
  }
}
