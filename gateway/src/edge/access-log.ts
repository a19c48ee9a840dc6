import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { FastifyInstance } from 'fastify';

/** Asked every few seconds by whoever watches the process: a line each would bury all others. */
const probes: ReadonlySet<string> = new Set(['/livez', '/readyz', '/healthz']);
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** One line and one measurement a request. The route's template stands for the path, which may hold an e-mail address. */
export function registerAccessLog(app: FastifyInstance, logger: Logger, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const { edge } = request;
    // A label takes few values (older system, fault 54): methods that nobody knows are one.
    const method = knownMethods.has(request.method) ? request.method : 'OTHER';
    const labels = { route: edge.routeLabel, method };
    const durationMs = performance.now() - edge.startMs;
    metrics.increment('http_requests_total', { ...labels, status: String(reply.statusCode) });
    metrics.observe('http_request_duration_seconds', durationMs / 1000, labels);
    const line = {
      requestId: request.id,
      trace_id: edge.traceId,
      method,
      route: edge.routeLabel,
      status: reply.statusCode,
      durationMs: Math.round(durationMs * 10) / 10,
      code: edge.errorCode,
    };
    if (probes.has(edge.routeLabel)) logger.debug(line, 'probe');
    else if (reply.statusCode >= 500) logger.error(line, 'request failed');
    else logger.info(line, 'request');
  });
}
