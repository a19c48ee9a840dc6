import { isServiceError, levelOf, toConnectError } from '@strongroom/platform/errors';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { edgeError, problemFromError, problemMediaType } from '../rest/problem.ts';
import { rpcErrorFrom } from '../rpc/rpc-error.ts';

/** Every error of every request ends here, and leaves as a problem or in the words of the RPC's protocol (B-errors). */
export function registerErrorAnswers(app: FastifyInstance, logger: Logger, metrics: Metrics): void {
  app.setErrorHandler((error, request, reply) => {
    answerError(error, request, reply, logger, metrics);
  });
}

export function answerError(
  cause: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  metrics: Metrics,
): void {
  const error = toConnectError(edgeError(cause));
  const { problem, headers } = problemFromError(error, request.id);
  const { edge } = request;
  edge.errorCode = problem.code;
  if (edge.match === undefined) metrics.increment('http_requests_refused_total', { reason: problem.code });
  logFault(error, request, logger, problem.status);
  reply.headers(headers);
  // Fastify sets it with a body that a parser refuses. Node would then close as soon as the answer is written, and so reset
  // it under a client that still sends; request-body.ts closes later.
  if (!request.raw.complete) reply.removeHeader('connection');
  if (edge.encoding !== undefined) {
    const answer = rpcErrorFrom(error, problem.status, edge.encoding);
    reply.code(answer.status).headers(answer.headers).send(answer.body);
    return;
  }
  reply.code(problem.status).type(problemMediaType).send(JSON.stringify(problem));
}

/** The access log has a line for every answer; what is not a client's doing gets its cause logged too. */
function logFault(error: Error & { cause?: unknown }, request: FastifyRequest, logger: Logger, status: number): void {
  const level = isServiceError(error) ? levelOf(error) : 'error';
  if (status < 500 && level !== 'error') return;
  const { requestId, route } = { requestId: request.id, route: request.edge.routeLabel };
  logger[status === 500 ? 'error' : 'warn'](
    { err: error.cause ?? error, requestId, route },
    'request failed at the edge',
  );
}
