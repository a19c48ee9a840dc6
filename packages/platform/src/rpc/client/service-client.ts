import type { DescService } from '@bufbuild/protobuf';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { createLinkedAbortController } from '@connectrpc/connect/protocol';
import { createServiceDispatcher, type ServiceIdentity } from '../../identity/index.ts';
import type { Logger, Metrics } from '../../telemetry/index.ts';
import { forwardedCallKey } from './call-options.ts';
import { createStreamTransport } from './stream-transport.ts';
import { createUnaryTransport } from './unary-transport.ts';

export interface ServiceClientOptions {
  /** Name of the service that must answer, out of its certificate: auth, payments, … */
  readonly name: string;
  readonly url: string | URL;
  /** Needed for https, which is how services speak to each other. */
  readonly identity?: ServiceIdentity | undefined;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  readonly connectionsMax?: number;
  readonly acceptGzip?: boolean;
}

/** A client of a service; `close` ends its connections. */
export type ServiceClient<Service extends DescService> = Client<Service> & { close(): Promise<void> };

/** Calls another service: deadline, retries by idempotency_level, breaker, connection pool and identity included. */
export function createServiceClient<Service extends DescService>(
  service: Service,
  options: ServiceClientOptions,
): ServiceClient<Service> {
  const dispatcher = createServiceDispatcher(options);
  const unary = createUnaryTransport({ ...options, dispatcher });
  const streams = createStreamTransport(options);
  const client = createClient(service, { unary: unary.unary, stream: streams.stream });
  endStreamsWithReader(service, client);
  return Object.assign(client, {
    async close() {
      unary.close();
      streams.close();
      await dispatcher.close();
    },
  });
}

type ServerStream = (request: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/**
 * Connect's client never hears that the reader has left its loop, and would read on until the stream ends by itself. Here
 * the call is cancelled with the loop.
 */
function endStreamsWithReader(service: DescService, client: object): void {
  const methods = client as Record<string, ServerStream>;
  for (const { methodKind, localName } of service.methods) {
    const start = methods[localName];
    if (methodKind !== 'server_streaming' || start === undefined) continue;
    methods[localName] = (request, options = {}) => {
      const call = options.contextValues?.get(forwardedCallKey);
      const controller = createLinkedAbortController(options.signal, call?.signal);
      const iterator = start(request, { ...options, signal: controller.signal })[Symbol.asyncIterator]();
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => iterator.next(),
          async return() {
            controller.abort();
            // Lets the call see that it has ended, and take down its deadline.
            iterator.next().catch(() => undefined);
            return { done: true, value: undefined };
          },
        }),
      };
    };
  }
}
