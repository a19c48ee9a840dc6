import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  isMessage,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { UnaryResponse as ConnectUnaryResponse, Transport } from '@connectrpc/connect';
import { codeToString, trailerDemux } from '@connectrpc/connect/protocol-connect';
import { Criticality } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, toConnectError } from '../../errors/index.ts';
import type { ServiceDispatcher } from '../../identity/index.ts';
import { createBreaker, createBulkhead, createRetryBudget } from '../../resilience/index.ts';
import type { Logger, Metrics } from '../../telemetry/index.ts';
import { createDeadline } from '../call.ts';
import { DEFAULT_DEADLINE_MS, methodPolicy } from '../policy.ts';
import { forwardedCallKey } from './call-options.ts';
import { withRetries } from './retry.ts';
import { isTransportFailure, requestUnary, toHeaders, type UnaryRequest, type UnaryResponse } from './unary-request.ts';

export interface UnaryTransportOptions {
  readonly name: string;
  readonly dispatcher: ServiceDispatcher;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  /** Whether answers may come compressed. Off: between our own processes the processor is dearer than the wire. */
  readonly acceptGzip?: boolean;
}

const MILLISECONDS_PER_SECOND = 1_000;

type HeadersInit = ConstructorParameters<typeof Headers>[0];

export interface UnaryTransport {
  readonly unary: Transport['unary'];
  close(): void;
}

/** Connect's unary protocol over undici, with deadline, retries and breaker (S5.1, S5.2). */
export function createUnaryTransport(options: UnaryTransportOptions): UnaryTransport {
  const { name: target, dispatcher, logger, metrics } = options;
  const budget = createRetryBudget();
  const breaker = createBreaker(`service.${target}`, requestUnary, { isFailure: isTransportFailure, logger, metrics });
  metrics?.add('rpc_client_retry_budget_exhausted_total', 0, { target });
  // As many as there are connections: more would only queue in the pool, where money waits behind reports.
  const bulkhead = createBulkhead({ name: `client.${target}`, max: dispatcher.connectionsMax, metrics });

  const send = async (
    method: DescMethodUnary,
    timeoutMs: number,
    request: Omit<UnaryRequest, 'timeoutMs' | 'dispatcher'>,
  ) => {
    const deadline = createDeadline(timeoutMs);
    return await withRetries(
      {
        method,
        deadline,
        budget,
        signal: () => request.signal ?? request.call?.signal,
        onRetry: () => metrics?.increment('rpc_client_retries_total', { target }),
        onBudgetExhausted: () => metrics?.increment('rpc_client_retry_budget_exhausted_total', { target }),
      },
      async () => {
        const turn = bulkhead.enter(criticalityOf(method), deadline.remainingMs());
        if (turn !== undefined) await turn;
        try {
          const remainingMs = Math.ceil(deadline.remainingMs());
          if (remainingMs <= 0) throw commonErrors.DEADLINE_EXCEEDED();
          const headers = { ...request.headers, 'connect-timeout-ms': String(remainingMs) };
          return await breaker.run({ ...request, headers, dispatcher: dispatcher.current(), timeoutMs: remainingMs });
        } finally {
          bulkhead.leave();
        }
      },
    );
  };

  const observed = async <T>(method: DescMethodUnary, run: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    let code = 'ok';
    try {
      return await run();
    } catch (error) {
      code = codeToString(toConnectError(error).code);
      throw error;
    } finally {
      const labels = { target, method: method.name };
      metrics?.increment('rpc_client_requests_total', { ...labels, code });
      metrics?.observe('rpc_client_duration_seconds', (performance.now() - startMs) / MILLISECONDS_PER_SECOND, labels);
    }
  };

  return {
    async unary(method, signal, timeoutMs, header, message, contextValues) {
      return await observed(method, async () => {
        const response = await send(method, effectiveTimeoutMs(method, timeoutMs), {
          path: `/${method.parent.typeName}/${method.name}`,
          headers: requestHeaders(header, options.acceptGzip === true),
          body: serialize(method.input, message),
          signal,
          call: contextValues?.get(forwardedCallKey),
        });
        return readResponse(method, response);
      });
    },
    close: () => breaker.close(),
  };
}

function effectiveTimeoutMs(method: DescMethodUnary, timeoutMs: number | undefined): number {
  const limitMs = deadlineMsOf(method);
  return timeoutMs === undefined || timeoutMs <= 0 ? limitMs : Math.min(timeoutMs, limitMs);
}

function deadlineMsOf(method: DescMethodUnary): number {
  return isOfContract(method) ? methodPolicy(method).deadlineMs : DEFAULT_DEADLINE_MS;
}

function criticalityOf(method: DescMethodUnary): Criticality {
  return isOfContract(method) ? methodPolicy(method).criticality : Criticality.NORMAL;
}

/** Methods of others (grpc.health.v1) carry no policy. */
function isOfContract(method: DescMethodUnary): boolean {
  return method.parent.typeName.startsWith('strongroom.');
}

function requestHeaders(header: HeadersInit | undefined, acceptGzip: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/proto',
    'connect-protocol-version': '1',
  };
  if (acceptGzip) headers['accept-encoding'] = 'gzip';
  if (header === undefined) return headers;
  if (isPlainHeaders(header)) return Object.assign(headers, header);
  new Headers(header).forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

/** forward() and asService() give plain objects with lower-case names, which need no Headers. */
function isPlainHeaders(header: HeadersInit): header is Record<string, string> {
  return !(header instanceof Headers) && !Array.isArray(header) && Object.getPrototypeOf(header) === Object.prototype;
}

function serialize(desc: DescMessage, message: MessageInitShape<DescMessage>): Uint8Array {
  return toBinary(desc, isMessage(message, desc) ? message : create(desc, message));
}

function readResponse<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  { headers: received, body }: UnaryResponse,
): ConnectUnaryResponse<I, O> {
  let cached: [Headers, Headers] | undefined;
  const split = (): [Headers, Headers] => {
    cached ??= trailerDemux(toHeaders(received));
    return cached;
  };
  let message: ConnectUnaryResponse<I, O>['message'];
  try {
    message = fromBinary(method.output, body);
  } catch (error) {
    throw commonErrors.INTERNAL({ cause: error });
  }
  return {
    stream: false,
    service: method.parent,
    method,
    message,
    // Hardly anyone looks at them: made when asked for.
    get header() {
      return split()[0];
    },
    get trailer() {
      return split()[1];
    },
  };
}
