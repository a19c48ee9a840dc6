import type { RestMatch } from '../rest/route-table.ts';
import type { RpcEncoding } from '../rpc/protocol.ts';
import type { RpcMatch } from '../rpc/routes.ts';

/** What the edge knows of a request beside what Fastify keeps; made by the first hook, filled in by the others. */
export interface EdgeRequest {
  readonly startMs: number;
  /** The target as it came, split at the first `?`. */
  readonly path: string;
  readonly query: string;
  readonly clientAddress: string;
  readonly userAgent: string;
  readonly deviceId: string;
  /** W3C Trace Context of the caller where it is valid, else a new one. */
  readonly traceparent: string;
  readonly traceId: string;
  /** What answers; undefined on the edge's own pages. */
  match: RestMatch | RpcMatch | undefined;
  /** Label of the route in metrics and logs: a template, never the path itself, which may hold personal data. */
  routeLabel: string;
  /** The encoding of an RPC, known or not: errors go out in it. */
  encoding: RpcEncoding | undefined;
  /** Code of the error that was answered. */
  errorCode: string | undefined;
  /** Thumbprint of the key whose possession the request proves (RFC 9449): the service compares it with the token's. */
  provenKey: string | undefined;
  /** The person, by a token whose signature and proof were checked here. Only for limits: each service checks again. */
  userId: string | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    edge: EdgeRequest;
  }
}
