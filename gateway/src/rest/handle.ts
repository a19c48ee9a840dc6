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
/** How soon a repetition may come again while the first is on its way. */
const busyRetryAfterMs = 1_000;
/** More than an honest client ever sends of one request at once. */
const repetitionsMax = 16;
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
  const send = () => target.call(method, message, { headers, timeoutMs: policy.deadlineMs });
  const answer = await runAmongFew(target.attempts, attemptOf(request, match), send);
  const { contentType, body } = route.encodeResponse(answer.message);
  const status = answer.header?.get(statusOverride) ?? '';
  reply.code(statusPattern.test(status) ? Number(status) : policy.successStatus);
  if (answer.header?.get(idempotencyReplayed) === 'true') reply.header(idempotencyReplayed, 'true');
  return reply.type(contentType).send(body);
}

/** Who does what under which key; undefined without a key. */
function attemptOf({ headers }: FastifyRequest, { method }: RestMatch): string | undefined {
  const key = headers['idempotency-key'];
  return key === undefined ? undefined : JSON.stringify([headers.authorization, method.name, key]);
}

/**
 * A few repetitions of an attempt may run beside it; more are told here what the service would tell them. A thousand at once
 * would only take the places of others in the queue before it (F19).
 */
async function runAmongFew<T>(
  attempts: Map<string, number>,
  attempt: string | undefined,
  send: () => Promise<T>,
): Promise<T> {
  if (attempt === undefined) return send();
  const running = attempts.get(attempt) ?? 0;
  if (running >= repetitionsMax) throw commonErrors.IDEMPOTENCY_IN_PROGRESS({ retryAfterMs: busyRetryAfterMs });
  attempts.set(attempt, running + 1);
  try {
    return await send();
  } finally {
    const left = (attempts.get(attempt) ?? 1) - 1;
    if (left === 0) attempts.delete(attempt);
    else attempts.set(attempt, left);
  }
}

/** The field refresh_token of a refresh's request, whatever else is in it. */
export function refreshTokenOf(message: object): string {
  const value = 'refreshToken' in message ? message.refreshToken : undefined;
  return typeof value === 'string' ? value : '';
}
