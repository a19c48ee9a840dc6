import type { FileRegistry } from '@bufbuild/protobuf';
import { commonErrors } from '@strongroom/platform/errors';
import type { Authenticator } from '@strongroom/platform/identity';
import type { RateLimiter } from '@strongroom/platform/limits';
import type { Health } from '@strongroom/platform/process';
import { type Logger, type Metrics, nameRequestSpan, runInRequest } from '@strongroom/platform/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceTarget } from './clients.ts';
import type { GatewayConfig } from './config.ts';
import { registerAccessLog } from './edge/access-log.ts';
import { createAdminNetworkCheck } from './edge/admin-networks.ts';
import { checkHead } from './edge/bounds.ts';
import { identifyCaller } from './edge/caller.ts';
import { registerClosing } from './edge/closing.ts';
import { registerConsole } from './edge/console.ts';
import { registerCors } from './edge/cors.ts';
import { createProofCheck } from './edge/dpop.ts';
import { registerErrorAnswers } from './edge/errors.ts';
import { registerHealthPages } from './edge/health.ts';
import { registerKeySet } from './edge/key-set.ts';
import { createEdgeLimits, type EdgeLimits } from './edge/limits.ts';
import { registerLogFiles } from './edge/log-files.ts';
import { dispatchPath, isPage, pageAllow, pageLabel } from './edge/pages.ts';
import type { ProofLedger } from './edge/proof-ledger.ts';
import { registerReference } from './edge/reference.ts';
import { registerRequestBody } from './edge/request-body.ts';
import { factsFromRequest } from './edge/request-facts.ts';
import { registerSecurityHeaders } from './edge/security-headers.ts';
import { createServer } from './edge/server.ts';
import { gatewayErrors } from './errors.ts';
import { handleRest } from './rest/handle.ts';
import { createOpenApi, registerOpenApi } from './rest/openapi.ts';
import { createEdgeMethods, createRestRoutes, type EdgeMethod, type RestRoutes } from './rest/route-table.ts';
import { proxyRpc } from './rpc/proxy.ts';
import { checkRpcRefresh } from './rpc/refresh.ts';
import { matchRpc } from './rpc/routes.ts';
import { createStreamGate, type StreamGate } from './rpc/stream-gate.ts';

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly targets: readonly ServiceTarget[];
  /** The contract with its comments, for the OpenAPI document. */
  readonly descriptors: FileRegistry;
  /** Checks signatures for the limits' sake; see identifyCaller. */
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly proofs: ProofLedger;
  readonly health: Health;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What a request is matched against. */
interface Surface {
  readonly rest: RestRoutes;
  readonly rpcs: ReadonlyMap<string, EdgeMethod>;
  readonly limits: EdgeLimits;
  readonly streams: StreamGate;
  /** See identifyCaller. */
  readonly identify: (request: FastifyRequest) => Promise<void>;
}

/** The edge. One write from here on: the hooks below, in their order → rest/handle.ts. */
export async function buildApp(deps: GatewayDeps): Promise<FastifyInstance> {
  const { config, logger, metrics, targets } = deps;
  const app = createServer(config, metrics);
  const documentUrl = `${config.PUBLIC_URL}/reference/`;
  const rest = createRestRoutes(targets, documentUrl);
  const rpcs = createEdgeMethods(targets, documentUrl);

  app.decorateRequest('edge', null as never);
  app.addHook('onRequest', async (request, reply) => {
    request.edge = factsFromRequest(request, request.originalUrl);
    reply.header('x-request-id', request.id);
  });
  registerAccessLog(app, logger, metrics);
  registerErrorAnswers(app, logger, metrics);
  await registerSecurityHeaders(app);
  app.addHook('onRequest', async (request) => checkHead(request.raw, request.originalUrl));
  await registerCors(app, config.CORS_ORIGINS, metrics);
  registerRequestBody(app);
  const limits = await createEdgeLimits(app, deps.limiter, config);
  const streams = createStreamGate({ perCallerMax: config.EDGE_STREAMS_PER_CALLER_MAX, max: config.EDGE_STREAMS_MAX });
  app.addHook('preClose', async () => streams.endAll());
  registerClosing(app);
  const checkProof = createProofCheck({ origins: config.DPOP_ORIGINS, ledger: deps.proofs });
  const identify = (request: FastifyRequest) => identifyCaller(request, deps.authenticator, checkProof);
  registerMatching(app, deps, { rest, rpcs, limits, streams, identify });

  registerHealthPages(app, deps.health);
  registerOpenApi(
    app,
    createOpenApi({ table: rest.table, descriptors: deps.descriptors, publicUrl: config.PUBLIC_URL }),
  );
  await registerReference(app);
  await registerConsole(app, config.CONSOLE_FOLDER);
  for (const target of targets) {
    if (target.name === 'auth') registerKeySet(app, target.dispatcher, logger);
    if (target.name === 'admin') registerLogFiles(app, { admin: target, limits, identify });
  }
  return app;
}

/** Everything but the pages: found by the contract, counted, and handed on. */
function registerMatching(app: FastifyInstance, { config, metrics }: GatewayDeps, surface: Surface): void {
  const checkAdminNetwork = createAdminNetworkCheck(config.ADMIN_NETWORKS);
  app.addHook('onRequest', async (request, reply) => {
    const { edge } = request;
    if (isPage(edge.path)) {
      edge.routeLabel = pageLabel(edge.path);
      return;
    }
    const refusal = matchRequest(request, reply, surface);
    nameRequestSpan(request.method, edge.routeLabel);
    if (edge.match?.deprecation !== undefined) {
      reply.headers(edge.match.deprecation);
      metrics.increment('http_deprecated_requests_total', { method: edge.match.method.name });
    }
    await surface.identify(request);
    // What is refused counts as well: looking for addresses costs as much as using them (S1.1d, "never unlimited").
    await surface.limits.checkHead(request, reply);
    if (refusal !== undefined) throw refusal;
    checkAdminNetwork(edge.match, edge.clientAddress);
  });
  const dispatch = (request: FastifyRequest, reply: FastifyReply) =>
    runInRequest({ requestId: request.id, traceId: request.edge.traceId }, () => answer(request, reply, surface));
  app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], url: dispatchPath, handler: dispatch });
  // Methods that the router doesn't know, and pages that are asked for by the wrong one.
  app.setNotFoundHandler(dispatch);
}

/** Finds what answers. A refusal is returned, not thrown: it is counted first. */
function matchRequest(request: FastifyRequest, reply: FastifyReply, { rest, rpcs }: Surface): Error | undefined {
  const { edge, method, headers } = request;
  try {
    const found =
      matchRpc(rpcs, { method, path: edge.path, query: edge.query, contentType: headers['content-type'] }) ??
      rest.match(method, edge.path, headers.accept);
    switch (found.kind) {
      case 'rest':
        edge.match = found;
        edge.routeLabel = found.route.template.source;
        return undefined;
      case 'rpc':
        edge.match = found;
        edge.encoding = found.encoding;
        edge.routeLabel = edge.path;
        return undefined;
      case 'noMethod':
        edge.encoding = found.encoding;
        return commonErrors.METHOD_NOT_FOUND();
      case 'malformed':
        return commonErrors.MALFORMED_REQUEST();
      default:
        reply.header('allow', found.allow);
        return found.kind === 'options' ? undefined : gatewayErrors.METHOD_NOT_ALLOWED();
    }
  } catch (error) {
    return error as Error;
  }
}

async function answer(request: FastifyRequest, reply: FastifyReply, surface: Surface): Promise<unknown> {
  const { match, path } = request.edge;
  if (match?.kind === 'rest') return handleRest(request, reply, match, surface.limits);
  if (match?.kind === 'rpc') {
    await checkRpcRefresh(request, reply, match, surface.limits);
    return proxyRpc(request, reply, match, surface.streams);
  }
  if (request.method === 'OPTIONS') {
    if (!reply.hasHeader('allow')) reply.header('allow', pageAllow);
    return reply.code(204).send();
  }
  if (isPage(path) && request.method !== 'GET' && request.method !== 'HEAD') {
    reply.header('allow', pageAllow);
    throw gatewayErrors.METHOD_NOT_ALLOWED();
  }
  throw gatewayErrors.ROUTE_NOT_FOUND();
}
