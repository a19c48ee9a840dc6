import { cors as connectCors } from '@connectrpc/connect';
import fastifyCors from '@fastify/cors';
import type { Metrics } from '@strongroom/platform/telemetry';
import type { FastifyInstance } from 'fastify';

const PREFLIGHT_MAX_AGE_S = 600;

const allowedHeaders = [
  ...connectCors.allowedHeaders,
  'Authorization',
  'DPoP',
  'Idempotency-Key',
  'X-Device-Id',
  'Traceparent',
];
const exposedHeaders = [
  ...connectCors.exposedHeaders,
  'Deprecation',
  'Idempotency-Replayed',
  'Link',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'Sunset',
  'WWW-Authenticate',
  'X-Request-Id',
];

/**
 * Pages of other sites may call the API only from origins listed exactly (S6.1, ASVS V3.4.2). There are no credentials in
 * the sense of CORS: tokens travel in Authorization, which a page must set itself, and there are no cookies.
 */
export async function registerCors(app: FastifyInstance, origins: readonly string[], metrics: Metrics): Promise<void> {
  const allowed = new Set(origins);
  await app.register(fastifyCors, {
    origin(origin, decide) {
      const isAllowed = origin !== undefined && allowed.has(origin);
      if (origin !== undefined && !isAllowed) metrics.increment('http_cors_refused_total');
      decide(null, isAllowed ? origin : false);
    },
    methods: [...new Set([...connectCors.allowedMethods, 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])],
    allowedHeaders,
    exposedHeaders,
    maxAge: PREFLIGHT_MAX_AGE_S,
    credentials: false,
    strictPreflight: false,
  });
}
