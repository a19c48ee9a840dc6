import type { ServerResponse } from 'node:http';
import type { DescService, Message } from '@bufbuild/protobuf';
import {
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type MethodImpl,
} from '@connectrpc/connect';
import type { UniversalHandler, UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { commonErrors, toConnectError } from '../errors/index.ts';
import { callKey } from './call.ts';
import { callerOf } from './peer.ts';
import type { MethodPipeline, OpenCall } from './pipeline.ts';
import { explainProtocolErrors } from './protocol-errors.ts';
import { discardRestAfter } from './receive-body.ts';
import type { ServerCall } from './server-call.ts';
import { guardRequests, untilStreamAborted } from './stream-guards.ts';

export interface StockMethod {
  readonly pipeline: MethodPipeline;
  readonly implementation: unknown;
}

/**
 * gRPC, gRPC-Web, Connect GET and all streams by the stock implementation, with the same pipeline as the fast routes. The
 * adapter is connect-fastify's, but for three things: the call is closed with its outcome, errors that the protocol code
 * makes by itself get their ErrorInfo, and nothing is printed past the logger.
 */
export function registerStockRoutes(app: FastifyInstance, methods: readonly StockMethod[]): void {
  const opened = new WeakMap<ServerCall, OpenCall>();
  const streams = new Set<ServerCall>();
  // A watcher would keep the process from ever closing; it comes back to another one.
  app.addHook('preClose', async () => {
    for (const call of streams) call.abort(commonErrors.UNAVAILABLE({ retryAfterMs: 0 }));
  });
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    jsonOptions: { ignoreUnknownFields: false },
  });
  const pipelines = new Map<string, MethodPipeline>();
  for (const { pipeline, implementation } of methods) {
    addMethod(router, pipeline, implementation, opened);
    pipelines.set(pathOf(pipeline), pipeline);
  }
  for (const handler of router.handlers) {
    const pipeline = pipelines.get(handler.requestPath);
    if (pipeline === undefined) throw new Error(`no pipeline for ${handler.requestPath}`);
    app.route({
      method: ['GET', 'POST'],
      url: handler.requestPath,
      exposeHeadRoute: false,
      handler: (_request, reply) => serve(handler, pipeline, { opened, streams }, reply),
    });
  }
}

function pathOf({ method }: MethodPipeline): string {
  return `/${(method.parent as DescService).typeName}/${method.name}`;
}

function addMethod(
  router: ConnectRouter,
  pipeline: MethodPipeline,
  implementation: unknown,
  opened: WeakMap<ServerCall, OpenCall>,
): void {
  router.rpc(pipeline.method, implementation as MethodImpl<typeof pipeline.method>, {
    readMaxBytes: pipeline.policy.bodyLimitBytes,
    interceptors: [createStockInterceptor(pipeline)],
    requestGate: (context: HandlerContext) => admit(pipeline, context, opened),
  });
}

function serverCallOf(context: { values: HandlerContext['values'] }): ServerCall {
  return context.values.get(callKey) as ServerCall;
}

async function admit(
  pipeline: MethodPipeline,
  context: HandlerContext,
  opened: WeakMap<ServerCall, OpenCall>,
): Promise<void> {
  const call = serverCallOf(context);
  const open = opened.get(call);
  if (open === undefined) throw commonErrors.INTERNAL();
  call.adoptResponse(context.responseHeader, context.responseTrailer);
  try {
    await pipeline.admit(open);
  } catch (cause) {
    throw await settle(pipeline, call, cause);
  }
}

/** Remembers the error for the log line of the call. */
async function settle(pipeline: MethodPipeline, call: ServerCall, cause: unknown) {
  const error = await pipeline.refuse(call, cause);
  call.failure ??= error;
  return error;
}

function createStockInterceptor(pipeline: MethodPipeline): Interceptor {
  return (next) => async (request) => {
    const call = serverCallOf({ values: request.contextValues });
    try {
      if (!request.stream) {
        const answer = new Promise<Awaited<ReturnType<typeof next>>>((resolve, reject) => {
          call.onAbort(reject);
          pipeline.run(request.message as Message, call, () => next(request)).then(resolve, reject);
        });
        return await answer;
      }
      const answer = await next({ ...request, message: guardRequests(pipeline, call, request.message) });
      if (!answer.stream) return answer;
      const onError = (cause: unknown) => settle(pipeline, call, cause);
      return { ...answer, message: untilStreamAborted(call, answer.message, onError) };
    } catch (cause) {
      throw await settle(pipeline, call, cause);
    }
  };
}

async function serve(
  handler: UniversalHandler,
  pipeline: MethodPipeline,
  { opened, streams }: { opened: WeakMap<ServerCall, OpenCall>; streams: Set<ServerCall> },
  reply: FastifyReply,
): Promise<void> {
  reply.hijack();
  const request = reply.request.raw;
  const response = reply.raw;
  const open = pipeline.open({
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress,
    caller: callerOf(request.socket),
  });
  const { call } = open;
  opened.set(call, open);
  if (pipeline.isStream) streams.add(call);
  discardRestAfter(request, response);
  // The stock writer waits for an event that never comes, so the call ends with its response.
  response.once('close', () => {
    if (!response.writableEnded) {
      call.abort(commonErrors.CANCELED());
      call.failure ??= call.abortReason;
    }
    streams.delete(call);
    pipeline.close(open, call.failure ?? 'ok');
  });
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  try {
    const contextValues = createContextValues().set(callKey, call);
    const answer = await handler(universalRequestFromNodeRequest(request, response, undefined, contextValues));
    await universalResponseToNodeResponse(endedBy(response, explainProtocolErrors(answer, call)), response);
  } catch (error) {
    // The other end is gone, or what it sent is no request at all.
    call.failure ??= toConnectError(error);
    response.destroy();
  }
}

/**
 * The stock writer leaves the body of a caller that has gone as it is, and with it the timer of its deadline, which for a
 * stream is an hour. Here the body ends with the response.
 */
function endedBy(response: ServerResponse, answer: UniversalServerResponse): UniversalServerResponse {
  if (answer.body === undefined) return answer;
  const iterator = answer.body[Symbol.asyncIterator]();
  response.once('close', () => {
    iterator.return?.().catch(() => undefined); // whatever it has to say, nobody hears it any more
  });
  return { ...answer, body: { [Symbol.asyncIterator]: () => iterator } };
}
