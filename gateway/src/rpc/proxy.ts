import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { commonErrors } from '@strongroom/platform/errors';
import type { ServiceDispatcher } from '@strongroom/platform/identity';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';
import { upstreamHeaders } from '../edge/upstream-headers.ts';
import type { RpcMatch } from './routes.ts';
import type { StreamGate } from './stream-gate.ts';

/** Fields of a browser's call that reach the service; everything else stays here (ASVS V4.1.3). */
const requestFields = [
  'accept',
  'content-type',
  'connect-protocol-version',
  'connect-timeout-ms',
  'grpc-timeout',
  'x-grpc-web',
  'x-user-agent',
] as const;

/** Fields of the service's answer that reach the browser, besides Connect's unary trailers. */
const responseFields = new Set([
  'content-type',
  'grpc-status',
  'grpc-message',
  'grpc-status-details-bin',
  'idempotency-replayed',
  'retry-after',
]);
const trailerPrefix = 'trailer-';

/** Beyond the deadline, so that the service's own answer to it comes first. */
const DEADLINE_MARGIN_MS = 250;
/** A reader that takes nothing for so long is gone, or means harm (slow read). */
const STALL_TIMEOUT_MS = 30_000;

/** Hands a Connect or gRPC-Web call through to the service that owns the method, and its answer back, as a stream. */
export async function proxyRpc(
  request: FastifyRequest,
  reply: FastifyReply,
  match: RpcMatch,
  gate: StreamGate,
): Promise<FastifyReply> {
  const { edge } = request;
  const isStream = match.method.methodKind !== 'unary';
  // Gone while the body was read: no close would ever come to end what begins here.
  if (reply.raw.destroyed) throw commonErrors.CANCELED();
  const abort = new AbortController();
  const leave = isStream ? gate.enter(edge.userId ?? edge.clientAddress, () => abort.abort()) : undefined;
  const timer = setTimeout(() => abort.abort(), match.policy.deadlineMs + DEADLINE_MARGIN_MS);
  const finish = () => {
    clearTimeout(timer);
    leave?.();
  };
  reply.raw.once('close', () => {
    finish();
    if (!reply.raw.writableFinished) abort.abort();
  });
  const answer = await (isStream
    ? callService(request, match, match.target.streams, abort.signal)
    : callInTurn(request, reply, match, abort.signal));
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && (responseFields.has(name) || name.startsWith(trailerPrefix))) reply.header(name, value);
  }
  if (!isStream) return reply.code(answer.statusCode).send(answer.body);
  reply.hijack();
  reply.raw.writeHead(answer.statusCode, reply.getHeaders() as IncomingHttpHeaders);
  // Sent at once: the first event may be an hour away.
  reply.raw.flushHeaders();
  pipeUnlessStalled(answer.body, reply.raw);
  return reply;
}

/** A unary call has its place until its answer has gone out. */
async function callInTurn(
  request: FastifyRequest,
  reply: FastifyReply,
  match: RpcMatch,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { bulkhead, dispatcher } = match.target;
  await bulkhead.enter(match.policy.criticality, match.policy.deadlineMs);
  if (reply.raw.destroyed) {
    bulkhead.leave();
    throw commonErrors.CANCELED();
  }
  reply.raw.once('close', () => bulkhead.leave());
  return await callService(request, match, dispatcher, signal);
}

async function callService(
  request: FastifyRequest,
  match: RpcMatch,
  dispatcher: ServiceDispatcher,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { edge, headers } = request;
  const isGet = match.encoding.protocol === 'connect-get';
  const passed = Object.fromEntries(
    requestFields.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  try {
    return await dispatcher.current().request({
      path: isGet ? `${edge.path}?${edge.query}` : edge.path,
      method: isGet ? 'GET' : 'POST',
      headers: { ...passed, ...upstreamHeaders(request) },
      body: isGet ? null : ((request.body as Buffer | undefined) ?? Buffer.alloc(0)),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw commonErrors.DEADLINE_EXCEEDED({ cause: error });
    throw commonErrors.UNAVAILABLE({ cause: error, retryAfterMs: 1_000 });
  }
}

/** Like pipe, but ends the connection of a reader that has stopped reading. */
function pipeUnlessStalled(from: Readable, to: ServerResponse): void {
  let stall: NodeJS.Timeout | undefined;
  from.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    stall = setTimeout(() => to.destroy(), STALL_TIMEOUT_MS);
    to.once('drain', () => {
      clearTimeout(stall);
      from.resume();
    });
  });
  from.once('end', () => to.end());
  // Cut off in the middle: the client must not take what it has for the whole.
  from.once('error', () => to.destroy());
  to.once('close', () => {
    clearTimeout(stall);
    from.destroy();
  });
}
