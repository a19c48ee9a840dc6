import { Code, ConnectError } from '@connectrpc/connect';
import { createAsyncIterable, encodeEnvelope, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  endStreamToJson,
  errorFromJsonBytes,
  errorToJsonBytes,
} from '@connectrpc/connect/protocol-connect';
import { findTrailerError, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { trailerFlag, trailerParse, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';
import { commonErrors, protocolErrorToConnectError } from '../errors/index.ts';
import type { ServerCall } from './server-call.ts';

const ENVELOPE_HEADER_BYTES = 5;
const HTTP_ERROR_MIN = 400;
const UNSUPPORTED_MEDIA_TYPE = 415;

/**
 * What the protocol code refuses by itself (a body that can't be decoded, a size, an encoding) it refuses without
 * ErrorInfo, and with a message that may quote the request (measured.md, Transport). Here such an answer gets the
 * catalogue's error instead, in whichever of the places its protocol keeps errors in.
 */
export function explainProtocolErrors(answer: UniversalServerResponse, call: ServerCall): UniversalServerResponse {
  const contentType = answer.header?.get('content-type') ?? '';
  if (answer.status >= HTTP_ERROR_MIN && answer.body === undefined) return withBody(answer, call);
  if (answer.body === undefined) return answer;
  if (contentType.startsWith('application/grpc-web')) return { ...answer, body: explainFrames(answer.body, call, web) };
  if (contentType.startsWith('application/grpc')) return { ...answer, body: explainTrailer(answer, answer.body, call) };
  if (contentType.startsWith('application/connect+')) {
    return { ...answer, body: explainFrames(answer.body, call, stream) };
  }
  return answer.status >= HTTP_ERROR_MIN && call.failure === undefined
    ? explainUnary(answer, answer.body, call)
    : answer;
}

function explain(error: ConnectError, call: ServerCall): ConnectError {
  // The stock implementation calls bytes that it can't decode an internal error; they are the caller's.
  const isUndecodable = error.code === Code.Internal && !call.decoded;
  const explained = isUndecodable
    ? commonErrors.MALFORMED_REQUEST()
    : protocolErrorToConnectError(withoutMetadata(error));
  call.failure ??= explained;
  return explained;
}

function withoutMetadata(error: ConnectError): ConnectError {
  return new ConnectError(error.rawMessage, error.code);
}

/** Refusals of HTTP itself: an unknown content type, a method that the RPC doesn't take. */
function withBody(answer: UniversalServerResponse, call: ServerCall): UniversalServerResponse {
  const error =
    answer.status === UNSUPPORTED_MEDIA_TYPE
      ? commonErrors.UNSUPPORTED_MEDIA_TYPE()
      : commonErrors.METHOD_NOT_FOUND({ message: 'The method is not called this way.' });
  call.failure ??= error;
  return withError(answer, error);
}

function withError(answer: UniversalServerResponse, error: ConnectError): UniversalServerResponse {
  const body = errorToJsonBytes(error, undefined);
  const header = new Headers(answer.header);
  header.set('content-type', 'application/json');
  header.set('content-length', String(body.byteLength));
  header.delete('content-encoding');
  return { ...answer, header, body: createAsyncIterable([body]) };
}

function explainUnary(
  answer: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  call: ServerCall,
): UniversalServerResponse {
  const error = errorOfStatus(answer.status);
  const explained = explain(error, call);
  const replaced = withError(answer, explained);
  return {
    ...replaced,
    status: codeToHttpStatus(explained.code),
    body: replaceWhole(body, errorToJsonBytes(explained, undefined)),
  };
}

function errorOfStatus(status: number): ConnectError {
  const fallback = new ConnectError('');
  const code = CODES_BY_STATUS.get(status) ?? 'unknown';
  return errorFromJsonBytes(Buffer.from(JSON.stringify({ code })), undefined, fallback);
}

/** What the stock implementation answers for the codes that its protocol code uses by itself. */
const CODES_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_argument'],
  [500, 'internal'],
  [429, 'resource_exhausted'],
  [501, 'unimplemented'],
  [504, 'deadline_exceeded'],
  [499, 'canceled'],
]);

async function* replaceWhole(body: AsyncIterable<Uint8Array>, replacement: Uint8Array): AsyncIterable<Uint8Array> {
  for await (const _chunk of body);
  yield replacement;
}

/** gRPC: the status stands in the trailers, which are complete once the body has ended. */
async function* explainTrailer(
  answer: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  call: ServerCall,
): AsyncIterable<Uint8Array> {
  yield* body;
  if (answer.trailer === undefined || call.failure !== undefined) return;
  const error = findTrailerError(answer.trailer);
  if (error !== undefined) setTrailerStatus(answer.trailer, explain(error, call));
}

interface FrameKind {
  readonly flag: number;
  rewrite(data: Uint8Array, call: ServerCall): Uint8Array | undefined;
}

/** gRPC-Web: the trailers are the last frame. */
const web: FrameKind = {
  flag: trailerFlag,
  rewrite(data, call) {
    const trailer = trailerParse(data);
    const error = findTrailerError(trailer);
    if (error === undefined) return undefined;
    setTrailerStatus(trailer, explain(error, call));
    return trailerSerialize(trailer);
  },
};

/** Connect streams: the error stands in the last frame. */
const stream: FrameKind = {
  flag: endStreamFlag,
  rewrite(data, call) {
    const end = endStreamFromJson(data);
    if (end.error === undefined) return undefined;
    const rewritten = endStreamToJson(end.metadata, explain(end.error, call), undefined);
    return Buffer.from(JSON.stringify(rewritten));
  },
};

async function* explainFrames(
  body: AsyncIterable<Uint8Array>,
  call: ServerCall,
  kind: FrameKind,
): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    const isLast = chunk[0] === kind.flag && chunk.byteLength >= ENVELOPE_HEADER_BYTES;
    const rewritten =
      isLast && call.failure === undefined ? kind.rewrite(chunk.subarray(ENVELOPE_HEADER_BYTES), call) : undefined;
    yield rewritten === undefined ? chunk : encodeEnvelope(kind.flag, rewritten);
  }
}
