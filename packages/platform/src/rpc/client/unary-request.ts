import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import { codeFromHttpStatus, errorFromJsonBytes, trailerDemux } from '@connectrpc/connect/protocol-connect';
import type { Dispatcher } from 'undici';
import { commonErrors } from '../../errors/index.ts';
import type { ForwardableCall } from './call-options.ts';

const gunzipAsync = promisify(gunzip);
const RESPONSE_MAX_BYTES = 67_108_864;
const OK = 200;

export interface UnaryRequest {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly call: ForwardableCall | undefined;
}

export interface UnaryResponse {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Uint8Array;
}

interface RawResponse extends UnaryResponse {
  readonly status: number;
}

/** The request did not end in an answer of the service: what the breaker counts, and what may be tried again. */
const transportFailures = new WeakSet<ConnectError>();

export function isTransportFailure(error: unknown): boolean {
  return error instanceof ConnectError && transportFailures.has(error);
}

function transportFailure(error: ConnectError): ConnectError {
  transportFailures.add(error);
  return error;
}

/** One attempt: the answer's bytes, or the error that the service answered. */
export async function requestUnary(request: UnaryRequest): Promise<UnaryResponse> {
  const raw = await dispatch(request);
  const body = await decompress(raw);
  const contentType = raw.headers['content-type'];
  if (raw.status === OK && contentType === 'application/proto') return { headers: raw.headers, body };
  const fallback = transportFailure(
    new ConnectError(`HTTP ${raw.status}`, raw.status === OK ? Code.Unknown : codeFromHttpStatus(raw.status)),
  );
  if (contentType !== 'application/json') throw fallback;
  const [header, trailer] = trailerDemux(toHeaders(raw.headers));
  trailer.forEach((value, name) => {
    header.append(name, value);
  });
  throw errorFromJsonBytes(body, header, fallback);
}

/**
 * By undici's dispatch, which hands over the bytes as they come: its promise API builds a stream, and its cancellation an
 * AbortSignal, for each request.
 */
function dispatch(request: UnaryRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isSettled = false;
    let stopListening: (() => void) | undefined;
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      clearTimeout(timer);
      stopListening?.();
      return true;
    };
    const fail = (error: ConnectError): void => {
      if (settle()) reject(error);
    };
    const abort = (error: ConnectError): void => {
      fail(error);
      controller?.abort(error);
    };
    const timer = setTimeout(
      () => abort(transportFailure(commonErrors.DEADLINE_EXCEEDED())),
      Math.ceil(request.timeoutMs),
    );
    stopListening = listenForAbort(request, () => abort(commonErrors.CANCELED()));
    if (isSettled) {
      stopListening(); // it had ended before it began
      return;
    }
    let status = 0;
    let headers: RawResponse['headers'] = {};
    let size = 0;
    const chunks: Buffer[] = [];
    const { path, headers: sent, body } = request;
    request.dispatcher.dispatch(
      { path, method: 'POST', headers: sent, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) },
      {
        onRequestStart(started) {
          controller = started;
          if (isSettled) started.abort(new Error('the call has ended'));
        },
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          headers = received;
        },
        onResponseData(_controller, chunk) {
          size += chunk.length;
          if (size > RESPONSE_MAX_BYTES) abort(commonErrors.INTERNAL({ cause: new Error('the answer is too large') }));
          else chunks.push(chunk);
        },
        onResponseEnd() {
          if (settle())
            resolve({ status, headers, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
        },
        onResponseError(_controller, error) {
          fail(transportFailure(commonErrors.UNAVAILABLE({ cause: error })));
        },
      },
    );
  });
}

function listenForAbort({ signal, call }: UnaryRequest, onAbort: () => void): () => void {
  const stops: (() => void)[] = [];
  for (const one of [signal, call?.onAbort === undefined ? call?.signal : undefined]) {
    if (one === undefined) continue;
    if (one.aborted) onAbort();
    one.addEventListener('abort', onAbort, { once: true });
    stops.push(() => one.removeEventListener('abort', onAbort));
  }
  if (call?.onAbort !== undefined) stops.push(call.onAbort(onAbort));
  return () => {
    for (const stop of stops) stop();
  };
}

async function decompress({ headers, body }: RawResponse): Promise<Uint8Array> {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') throw commonErrors.INTERNAL({ cause: new Error('the answer has an unknown encoding') });
  return await gunzipAsync(body, { maxOutputLength: RESPONSE_MAX_BYTES });
}

export function toHeaders(headers: UnaryResponse['headers']): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) result.append(name, one);
    else result.append(name, value);
  }
  return result;
}
