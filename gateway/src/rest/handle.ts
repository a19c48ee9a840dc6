import { LimitClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { isJsonMediaType } from '@strongroom/rest';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeLimits } from '../edge/limits.ts';
import { upstreamHeaders } from '../edge/upstream-headers.ts';
import type { RestMatch } from './route-table.ts';

const idempotencyReplayed = 'idempotency-replayed';
const statusOverride = 'x-strongroom-http-status';
const rawBodyTypes: ReadonlySet<string> = new Set(['application/json']);
const statusPattern = /^20[0-6]$/;
/** Headers that some messages carry beside their body, by name (Standard Webhooks). */
const webhookFields = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;

/**
 * One REST request: into the message of its RPC, to the service over mTLS with the deadline of the contract, and back.
 * Next hop: services/<name>/src/routes.ts.
 */
export async function handleRest(
  request: FastifyRequest,
  reply: FastifyReply,
  match: RestMatch,
  limits: EdgeLimits,
): Promise<FastifyReply> {
  const { route, policy, target, method } = match;
  if (route.hasRawBody && !isJsonMediaType(request.headers['content-type'] ?? '', rawBodyTypes)) {
    // The body is taken as it is, but still in no type that a form of another site could send (ASVS V3.5.2).
    throw commonErrors.UNSUPPORTED_MEDIA_TYPE();
  }
  const message = route.decodeRequest({
    path: match.path,
    query: request.edge.query,
    body: request.body as Buffer | undefined,
    contentType: request.headers['content-type'],
  });
  if (policy.limit === LimitClass.REFRESH) {
    await limits.checkRefresh(request, reply, refreshTokenOf(message));
  }
  const headers = upstreamHeaders(request);
  if (route.hasRawBody) {
    for (const name of webhookFields) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
  }
  const answer = await target.call(method, message, { headers, timeoutMs: policy.deadlineMs });
  const { contentType, body } = route.encodeResponse(answer.message);
  const status = answer.header?.get(statusOverride) ?? '';
  reply.code(statusPattern.test(status) ? Number(status) : policy.successStatus);
  if (answer.header?.get(idempotencyReplayed) === 'true') reply.header(idempotencyReplayed, 'true');
  return reply.type(contentType).send(body);
}

/** The field refresh_token of a refresh's request, whatever else is in it. */
export function refreshTokenOf(message: object): string {
  const value = 'refreshToken' in message ? message.refreshToken : undefined;
  return typeof value === 'string' ? value : '';
}
