import type { IncomingMessage } from 'node:http';
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  isMessage,
  type Message,
  type MessageInitShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { createContextValues, createHandlerContext } from '@connectrpc/connect';
import { type Compression, compressionNegotiate } from '@connectrpc/connect/protocol';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { commonErrors } from '../errors/index.ts';
import { callKey } from './call.ts';
import { callerOf } from './peer.ts';
import type { MethodPipeline, OpenCall } from './pipeline.ts';
import { decompressBody, discardRestAfter, receiveBody } from './receive-body.ts';
import { UNARY, UNARY_CONSTRAINT } from './route-constraint.ts';
import type { ServerCall } from './server-call.ts';
import { type AnswerOptions, answerError, answerMessage, type HeaderList } from './unary-answer.ts';
import { directUseCaseOf } from './use-case.ts';

const COMPRESSIONS: readonly Compression[] = [compressionGzip, compressionBrotli];
const NO_COMPRESSION = { request: null, response: null, error: undefined } as const;
const CONTENT_TYPE_PROTO = 'application/proto';
const CONTENT_TYPE_JSON = 'application/json';
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** Unknown fields of JSON are a mistake or an attempt; of the binary form they are a newer client. */
const JSON_READ_OPTIONS = { ignoreUnknownFields: false } as const;

export interface UnaryRoute {
  readonly pipeline: MethodPipeline;
  readonly method: DescMethodUnary;
  readonly implementation: unknown;
}

/**
 * Connect's unary POST, complete, without the stream and abort machinery of the stock implementation, which costs five
 * times a Fastify route (measured.md). All other forms of a call stay with the stock implementation.
 */
export function registerUnaryRoute(app: FastifyInstance, route: UnaryRoute, baseHeaders: HeaderList): void {
  const { method, pipeline } = route;
  const invoke = invokerOf(route);
  app.route({
    method: 'POST',
    url: `/${method.parent.typeName}/${method.name}`,
    constraints: { [UNARY_CONSTRAINT]: UNARY },
    config: { isUnaryRpc: true },
    helmet: false,
    handler(request, reply) {
      const open = pipeline.open({
        headers: request.raw.headers,
        remoteAddress: request.raw.socket.remoteAddress,
        caller: callerOf(request.raw.socket),
      });
      return serve(route, open, invoke, reply, baseHeaders);
    },
  });
}

type Invoke = (request: Message, call: ServerCall) => Promise<Message>;

async function serve(
  { pipeline, method }: UnaryRoute,
  open: OpenCall,
  invoke: Invoke,
  reply: FastifyReply,
  baseHeaders: HeaderList,
): Promise<void> {
  reply.hijack();
  const { call } = open;
  const request = reply.request.raw;
  const response = reply.raw;
  const isBinary = request.headers['content-type'] === CONTENT_TYPE_PROTO || isProto(request.headers['content-type']);
  const compression = negotiate(request);
  const answer: AnswerOptions = { baseHeaders, response, call, compression: compression.response };
  response.once('close', () => {
    // Not writableFinished: over HTTP/2 that is true of a stream that the caller has reset.
    if (!response.writableEnded) call.abort(commonErrors.CANCELED());
  });
  try {
    const body = await untilAborted(call, async () => {
      await pipeline.admit(open);
      if (compression.error !== undefined) throw commonErrors.UNSUPPORTED_ENCODING({ cause: compression.error });
      const message = await receiveMessage(request, method, isBinary, compression.request, call);
      const output = await pipeline.run(message, call, () => invoke(message, call));
      return serialize(method.output, output, isBinary);
    });
    await answerMessage(answer, body, isBinary ? CONTENT_TYPE_PROTO : CONTENT_TYPE_JSON);
    pipeline.close(open, 'ok');
  } catch (cause) {
    const error = await pipeline.refuse(call, cause);
    pipeline.close(open, error);
    if (!request.complete) discardRestAfter(request, response);
    await answerError(answer, error).catch(() => response.destroy());
  }
}

/** Runs until the work is done or the call is aborted, whichever is first; work that comes too late is dropped. */
function untilAborted<T>(call: ServerCall, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    call.onAbort(reject);
    work().then(resolve, reject);
  });
}

function negotiate(request: IncomingMessage) {
  const requested = request.headers['content-encoding'];
  const accepted = request.headers['accept-encoding'];
  if (requested === undefined && accepted === undefined) return NO_COMPRESSION;
  return compressionNegotiate(
    COMPRESSIONS as Compression[],
    requested ?? null,
    typeof accepted === 'string' ? accepted : null,
    'accept-encoding',
  );
}

function isProto(contentType: string | undefined): boolean {
  return contentType !== undefined && contentType.toLowerCase() === CONTENT_TYPE_PROTO;
}

async function receiveMessage(
  request: IncomingMessage,
  method: DescMethodUnary,
  isBinary: boolean,
  compression: Compression | null,
  call: ServerCall,
): Promise<Message> {
  const { bodyLimitBytes } = call.policy;
  let body = await receiveBody(request, bodyLimitBytes);
  if (compression !== null) body = await decompressBody(compression.name as 'gzip' | 'br', body, bodyLimitBytes);
  try {
    if (isBinary) return fromBinary(method.input, body);
    return fromJsonString(method.input, textDecoder.decode(body), JSON_READ_OPTIONS);
  } catch (error) {
    throw commonErrors.MALFORMED_REQUEST({ cause: error });
  }
}

function serialize(desc: DescMessage, message: Message, isBinary: boolean): Uint8Array {
  if (isBinary) return toBinary(desc, message);
  return Buffer.from(JSON.stringify(toJson(desc, message)));
}

function invokerOf({ method, implementation }: UnaryRoute): Invoke {
  const output = method.output;
  const normalize = (response: unknown): Message =>
    isMessage(response, output) ? response : create(output, response as MessageInitShape<DescMessage>);
  const direct = directUseCaseOf(implementation);
  if (direct !== undefined) {
    return async (request, call) => normalize(await direct(request as never, call));
  }
  const handler = implementation as (request: Message, context: unknown) => unknown;
  return async (request, call) => {
    const context = contextOf(method, call);
    try {
      return normalize(await handler(request, context));
    } finally {
      // Connect's context has a timer of its own for the deadline, and keeps it until it is told of the end.
      context.abort();
    }
  };
}

/** For an implementation that was not made by useCase and wants Connect's own context. */
function contextOf(method: DescMethodUnary, call: ServerCall) {
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName: 'connect',
    requestMethod: 'POST',
    url: `http://localhost/${method.parent.typeName}/${method.name}`,
    timeoutMs: Math.ceil(call.deadline.remainingMs()),
    requestSignal: call.signal,
    requestHeader: call.requestHeader,
    contextValues: createContextValues().set(callKey, call),
  });
  call.adoptResponse(context.responseHeader, context.responseTrailer);
  return context;
}
