import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { tlsPolicy } from '@strongroom/platform/identity';
import { BODY_LIMIT_MAX_BYTES } from '@strongroom/platform/rpc';
import type { Metrics } from '@strongroom/platform/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import type { GatewayConfig } from '../config.ts';
import { gatewayErrors } from '../errors.ts';
import { PARSER_MAX_BYTES } from './bounds.ts';
import { createClientErrorHandler, writeRawProblem } from './client-error.ts';
import { dispatchPath, isPage } from './pages.ts';

/** How often Node looks for requests that are overdue; its own 30 s would let a slow-loris stay that much longer. */
const CONNECTIONS_CHECKING_INTERVAL_MS = 1_000;
/** Above that of common load balancers, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const REQUESTS_PER_SOCKET_MAX = 10_000;

/** Fastify over Node's HTTP server, with the bounds of S6.3 and an answer of our own to everything that the parser refuses. */
export function createServer(config: GatewayConfig, metrics: Metrics): FastifyInstance {
  const http = {
    maxHeaderSize: PARSER_MAX_BYTES,
    headersTimeout: config.EDGE_HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECKING_INTERVAL_MS,
    // bounds.ts does it, with an answer that says what is wrong.
    requireHostHeader: false,
  };
  const app = fastify({
    http,
    ...tlsOptions(config, http),
    logger: false, // access-log.ts writes one line a request
    genReqId: () => randomUUID(), // none is taken from outside (ASVS V4.1.3)
    requestIdHeader: false,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? [...config.TRUSTED_PROXIES] : false,
    bodyLimit: BODY_LIMIT_MAX_BYTES,
    requestTimeout: config.EDGE_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxRequestsPerSocket: REQUESTS_PER_SOCKET_MAX,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: true,
    rewriteUrl: routedUrl,
    clientErrorHandler: createClientErrorHandler(metrics),
  } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance;
  guardServer(app.server, config);
  return app;
}

/** Only the edge's own pages are routed by path; the rest is matched by rest/ and rpc/, as it came. */
function routedUrl(request: { url?: string | undefined }): string {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return isPage(mark < 0 ? url : url.slice(0, mark)) ? url : dispatchPath;
}

/** The edge ends TLS itself where no proxy before it does. */
function tlsOptions(config: GatewayConfig, http: object): object {
  const { EDGE_TLS_CERT_FILE: cert, EDGE_TLS_KEY_FILE: key } = config;
  if (cert === undefined || key === undefined) return {};
  return { https: { ...http, cert: readFileSync(cert), key: readFileSync(key), ...tlsPolicy } };
}

/** What Node would do by itself, without a word that a client could read. */
function guardServer(server: Server, config: GatewayConfig): void {
  server.maxConnections = config.EDGE_CONNECTIONS_MAX;
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    writeRawProblem(socket, gatewayErrors.METHOD_NOT_ALLOWED(), {
      allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    });
  });
  server.on('checkExpectation', (request: IncomingMessage, _response: ServerResponse) => {
    writeRawProblem(request.socket, gatewayErrors.EXPECTATION_FAILED());
  });
}
