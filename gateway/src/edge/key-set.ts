import { commonErrors } from '@strongroom/platform/errors';
import type { ServiceDispatcher } from '@strongroom/platform/identity';
import type { Logger } from '@strongroom/platform/telemetry';
import type { FastifyInstance } from 'fastify';

export const keySetPath = '/.well-known/jwks.json';
const CACHE_MS = 10_000;
const TIMEOUT_MS = 3_000;
const MAX_BYTES = 65_536;
/** A new key is announced for longer than this before it signs, so no cache misses it (S3.1a). */
const PUBLIC_MAX_AGE_S = 60;

/** The public keys of auth, fetched at most once in ten seconds. While auth is down, the last ones are still right. */
export function registerKeySet(app: FastifyInstance, auth: ServiceDispatcher, logger: Logger): void {
  let text: string | undefined;
  let fetchedMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    const answer = await auth.current().request({
      path: keySetPath,
      method: 'GET',
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const body = await answer.body.text();
    if (answer.statusCode !== 200 || body.length > MAX_BYTES)
      throw new Error(`the key set was answered with ${answer.statusCode}`);
    text = JSON.stringify(JSON.parse(body));
    fetchedMs = performance.now();
  };

  app.get(keySetPath, async (_request, reply) => {
    if (performance.now() - fetchedMs > CACHE_MS) {
      running ??= refresh().finally(() => {
        running = undefined;
      });
      try {
        await running;
      } catch (error) {
        logger.warn({ err: error }, 'the key set of auth could not be read');
        if (text === undefined) throw commonErrors.UNAVAILABLE({ cause: error, retryAfterMs: 1_000 });
      }
    }
    return reply
      .header('cache-control', `public, max-age=${PUBLIC_MAX_AGE_S}`)
      .type('application/json; charset=utf-8')
      .send(text);
  });
}
