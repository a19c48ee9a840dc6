import { createHash } from 'node:crypto';
import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import { LimitClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import type { RateLimiter } from '@strongroom/platform/limits';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.ts';
import { refreshBucketOf } from './refresh-bucket.ts';

export type LimitConfig = Pick<
  GatewayConfig,
  | 'RATE_LIMIT_GENERAL_MAX'
  | 'RATE_LIMIT_AUTH_MAX'
  | 'RATE_LIMIT_AUTH_ADDRESS_MAX'
  | 'RATE_LIMIT_REFRESH_MAX'
  | 'RATE_LIMIT_WINDOW_S'
>;

/** Counts requests against the limits of their class, tells of them in the answer, and throws RATE_LIMITED. */
export interface EdgeLimits {
  /** Before the body is read: everything but refreshes. */
  checkHead(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** After it: a refresh counts against the session named in its token. */
  checkRefresh(request: FastifyRequest, reply: FastifyReply, refreshToken: string): Promise<void>;
}

/** One limit's outcome, as @fastify/rate-limit gives it. */
interface Outcome {
  readonly policy: string;
  readonly max: number;
  readonly remaining: number;
  readonly resetS: number;
  readonly isExceeded: boolean;
}

type Limiter = (request: FastifyRequest) => Promise<Outcome>;

/**
 * Refreshes of one address, as a multiple of those of one session. Session ids are read out of tokens that nobody has
 * checked yet, so without it made-up ones would be a budget each; a household or an office behind one address fits.
 */
const REFRESH_ADDRESS_FACTOR = 10;

/**
 * The limits of S1.1a, by @fastify/rate-limit; its counters are the platform's, shared in Redis under `rl:` and kept per
 * instance while Redis is away (S1.1d).
 */
export async function createEdgeLimits(
  app: FastifyInstance,
  limiter: RateLimiter,
  config: LimitConfig,
): Promise<EdgeLimits> {
  await app.register(rateLimit, {
    global: false,
    store: createSharedStore(limiter) as unknown as FastifyRateLimitStoreCtor,
  });
  const windowS = config.RATE_LIMIT_WINDOW_S;
  const limit = (
    policy: string,
    name: string,
    max: number,
    keyGenerator: (request: FastifyRequest) => string,
  ): Limiter => {
    const options = { max, timeWindow: windowS * 1000, keyGenerator, limitName: name };
    const take = app.createRateLimit(options);
    return async (request) => {
      const taken = await take(request);
      if (taken.isAllowed) throw new Error('no limit has an allow-list');
      const { remaining, ttlInSeconds, isExceeded } = taken;
      return { policy, max, remaining, resetS: ttlInSeconds, isExceeded };
    };
  };
  const general = limit('general', 'general', config.RATE_LIMIT_GENERAL_MAX, generalKey);
  const agent = limit('auth', 'auth', config.RATE_LIMIT_AUTH_MAX, agentKey);
  const address = limit('auth-address', 'auth', config.RATE_LIMIT_AUTH_ADDRESS_MAX, addressKey);
  const tokens = new WeakMap<FastifyRequest, string>();
  const session = limit('refresh', 'refresh', config.RATE_LIMIT_REFRESH_MAX, (request) =>
    refreshBucketOf(tokens.get(request) ?? '', request.edge.clientAddress),
  );
  const refreshAddress = limit(
    'refresh-address',
    'refresh',
    config.RATE_LIMIT_REFRESH_MAX * REFRESH_ADDRESS_FACTOR,
    addressKey,
  );
  const check = async (request: FastifyRequest, reply: FastifyReply, limiters: readonly Limiter[]): Promise<void> => {
    const outcomes = await Promise.all(limiters.map((one) => one(request)));
    reply.headers(limitHeaders(outcomes, windowS));
    refuseExceeded(outcomes);
  };
  return {
    async checkHead(request, reply) {
      switch (request.edge.match?.policy.limit) {
        case LimitClass.NONE:
        case LimitClass.REFRESH:
          return;
        case LimitClass.AUTH:
          // Both at once: a new User-Agent buys nothing, since the address is counted as well.
          return check(request, reply, [agent, address]);
        default:
          return check(request, reply, [general]);
      }
    },
    checkRefresh(request, reply, refreshToken) {
      tokens.set(request, refreshToken);
      return check(request, reply, [session, refreshAddress]);
    },
  };
}

function refuseExceeded(outcomes: readonly Outcome[]): void {
  const exceeded = outcomes.filter((outcome) => outcome.isExceeded);
  if (exceeded.length > 0) {
    const waitS = Math.max(...exceeded.map((outcome) => outcome.resetS));
    throw commonErrors.RATE_LIMITED({ retryAfterMs: waitS * 1000 });
  }
}

/**
 * The three fields of the plan tell of the limit that is nearest; RateLimit and RateLimit-Policy of the IETF draft
 * (draft-ietf-httpapi-ratelimit-headers) list every one.
 */
function limitHeaders(outcomes: readonly Outcome[], windowS: number): Record<string, string> {
  const nearest = outcomes.reduce((a, b) => (b.isExceeded || (!a.isExceeded && b.remaining < a.remaining) ? b : a));
  const list = (text: (outcome: Outcome) => string) => outcomes.map((one) => `"${one.policy}";${text(one)}`).join(', ');
  return {
    'ratelimit-limit': String(nearest.max),
    'ratelimit-remaining': String(nearest.remaining),
    'ratelimit-reset': String(nearest.resetS),
    'ratelimit-policy': list(({ max }) => `q=${max};w=${windowS}`),
    ratelimit: list(({ remaining, resetS }) => `r=${remaining};t=${resetS}`),
  };
}

function generalKey({ edge }: FastifyRequest): string {
  return edge.userId === undefined ? addressOf(edge.clientAddress) : `user:${edge.userId}`;
}

function agentKey({ edge }: FastifyRequest): string {
  // Hashed: what a client writes into a header becomes no part of a key (ASVS V1.3.9).
  return `${addressOf(edge.clientAddress)}:agent:${createHash('sha256').update(edge.userAgent).digest('base64url')}`;
}

function addressKey({ edge }: FastifyRequest): string {
  return addressOf(edge.clientAddress);
}

/** An IPv6 subscriber has a whole /64: one address of it is worth nothing (RFC 6177). */
function addressOf(address: string): string {
  return `ip:${rateLimit.normalizeIP(address)}`;
}

type StoreCallback = (error: Error | null, result?: { current: number; ttl: number }) => void;

/** @fastify/rate-limit makes a store of its own for each limit, out of this class. */
function createSharedStore(limiter: RateLimiter) {
  return class SharedStore {
    readonly #name: string;

    constructor(options: { limitName?: string }) {
      this.#name = options.limitName ?? 'general';
    }

    incr(key: string, callback: StoreCallback, windowMs: number, max: number): void {
      limiter.take(this.#name, key, { max, windowMs }).then(
        ({ allowed, remaining, retryAfterMs, resetMs }) =>
          callback(
            null,
            allowed ? { current: max - remaining, ttl: resetMs } : { current: max + 1, ttl: retryAfterMs },
          ),
        (error: Error) => callback(error),
      );
    }

    child(options: { limitName?: string }): SharedStore {
      return new SharedStore(options);
    }
  };
}
