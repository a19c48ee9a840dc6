import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { CallOptions } from '@connectrpc/connect';
import { createServiceDispatcher, type ServiceDispatcher, type ServiceIdentity } from '@strongroom/platform/identity';
import { type Bulkhead, createBulkhead } from '@strongroom/platform/resilience';
import { createServiceClient } from '@strongroom/platform/rpc';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';

export interface UnaryOptions {
  readonly headers: Record<string, string>;
  readonly timeoutMs: number;
}

export interface UnaryAnswer {
  readonly message: Message;
  /** Undefined where nothing in it is of use: reads set no field that the edge looks at. */
  readonly header: Headers | undefined;
}

/** A service behind the edge: its contract, and the two ways to it. */
export interface ServiceTarget {
  readonly name: string;
  readonly service: DescService;
  /** A unary call by the platform's client, which retries, breaks and traces. */
  call(method: DescMethod, request: Message, options: UnaryOptions): Promise<UnaryAnswer>;
  /** The bare connections, for unary calls that are handed through as they are. */
  readonly dispatcher: ServiceDispatcher;
  /** Who may use them first. */
  readonly bulkhead: Bulkhead;
  /** How many calls of each attempt are on their way: of those with an idempotency key. */
  readonly attempts: Map<string, number>;
  /** Streams hold theirs for up to an hour, and would leave none for the others. */
  readonly streams: ServiceDispatcher;
  close(): Promise<void>;
}

export interface ServiceTargetOptions {
  readonly name: string;
  readonly service: DescService;
  readonly url: string;
  /** Most streams that are open at once. */
  readonly streamsMax: number;
  /** The gateway's certificate; without it only calls in clear, on loopback. */
  readonly identity?: ServiceIdentity | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type AnyMethod = (request: Message, options: CallOptions) => Promise<Message>;

export function createServiceTarget(options: ServiceTargetOptions): ServiceTarget {
  const { name, service } = options;
  const client = createServiceClient(service, options);
  const dispatcher = createServiceDispatcher(options);
  const { connectionsMax } = dispatcher;
  const streams = createServiceDispatcher({ ...options, connectionsMax: options.streamsMax });
  return {
    name,
    service,
    dispatcher,
    bulkhead: createBulkhead({ name: `edge.${name}`, max: connectionsMax, metrics: options.metrics }),
    attempts: new Map(),
    streams,
    async call(method, request, { headers, timeoutMs }) {
      const send = client[method.localName as keyof typeof client] as unknown as AnyMethod;
      // Making Headers costs more than all the rest here.
      if (method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) {
        return { message: await send(request, { headers, timeoutMs }), header: undefined };
      }
      let header: Headers | undefined;
      const onHeader = (received: Headers) => {
        header = received;
      };
      return { message: await send(request, { headers, timeoutMs, onHeader }), header };
    },
    async close() {
      await Promise.all([client.close(), dispatcher.close(), streams.close()]);
    },
  };
}
