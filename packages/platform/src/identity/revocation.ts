import { commonErrors } from '../errors/index.ts';
import type { Principal } from '../rpc/call.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

/** What is asked about a token that has verified. */
export type RevocableToken = Pick<Principal, 'userId' | 'sessionId' | 'tokenId' | 'issueTime'>;

export interface Revocation {
  isRevoked(token: RevocableToken): Promise<boolean>;
}

/** The part of ioredis that is used. */
export interface RevocationStore {
  mget(...keys: string[]): Promise<(string | null)[]>;
}

export interface RevocationOptions {
  readonly redis: RevocationStore;
  /** auth.CheckRevocation, which answers from the database. */
  readonly ask: (token: RevocableToken) => Promise<boolean>;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  readonly redisTimeoutMs?: number;
}

export const denyKeys = {
  ready: 'deny:ready',
  token: (tokenId: string) => `deny:jti:${tokenId}`,
  session: (sessionId: string) => `deny:sid:${sessionId}`,
  user: (userId: string) => `deny:usr:${userId}`,
} as const;

const REDIS_TIMEOUT_MS = 250;
/** After a failure Redis is left alone for this long, so that each call doesn't wait for the timeout again. */
const REDIS_PAUSE_MS = 500;

/**
 * The deny-list (S1.2c). Redis answers if it is there and carries auth's marker; an empty Redis knows nothing and says so
 * by the marker's absence (F8). Else auth's database is asked; and if that can't answer either, the call is refused: a
 * revoked token must never be taken because something is down (F7).
 */
export function createRevocation(options: RevocationOptions): Revocation {
  const { ask, logger, metrics } = options;
  let pauseEndMs = Number.NEGATIVE_INFINITY;
  // So that the first one is an increase, which the alert RevocationUnknown needs.
  metrics?.add('auth_revocation_fallback_total', 0, { outcome: 'unavailable' });

  const askRedis = async (token: RevocableToken): Promise<boolean | undefined> => {
    if (performance.now() < pauseEndMs) return undefined;
    try {
      return await readDenyList(options.redis, token, options.redisTimeoutMs ?? REDIS_TIMEOUT_MS);
    } catch (error) {
      pauseEndMs = performance.now() + REDIS_PAUSE_MS;
      logger?.warn({ err: error }, 'the deny-list in Redis can not be read; auth is asked');
      return undefined;
    }
  };

  return {
    async isRevoked(token) {
      const listed = await askRedis(token);
      if (listed !== undefined) return listed;
      try {
        const isRevoked = await ask(token);
        metrics?.increment('auth_revocation_fallback_total', { outcome: isRevoked ? 'revoked' : 'valid' });
        return isRevoked;
      } catch (error) {
        metrics?.increment('auth_revocation_fallback_total', { outcome: 'unavailable' });
        throw commonErrors.UNAVAILABLE({ cause: error, retryAfterMs: REDIS_PAUSE_MS });
      }
    },
  };
}

async function readDenyList(
  redis: RevocationStore,
  token: RevocableToken,
  timeoutMs: number,
): Promise<boolean | undefined> {
  const [ready, byToken, bySession, notBefore] = await within(
    redis.mget(
      denyKeys.ready,
      denyKeys.token(token.tokenId),
      denyKeys.session(token.sessionId),
      denyKeys.user(token.userId),
    ),
    timeoutMs,
  );
  // What is listed is listed, marker or not.
  if (byToken != null || bySession != null) return true;
  if (notBefore != null) {
    const notBeforeMs = Number(notBefore);
    if (!Number.isFinite(notBeforeMs) || token.issueTime.getTime() < notBeforeMs) return true;
  }
  return ready == null ? undefined : false;
}

/** ioredis keeps commands while it is not connected; a call can't wait for that. */
function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
