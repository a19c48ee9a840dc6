import { LRUCache } from 'lru-cache';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { createRedisWindows, type LimitStore } from './redis-windows.ts';
import { count, decide, type RateDecision, type RateRule, type Slots, slide } from './sliding-window.ts';

/** Counts requests by key. Never fails: while Redis is away, each instance counts for itself (S1.1d). */
export interface RateLimiter {
  /** Counts one request under `rl:<name>:<key>` and says whether it is allowed. */
  take(name: string, key: string, rule: RateRule): Promise<RateDecision>;
  /** Whether limits are kept per instance now. */
  isFallback(): boolean;
}

export interface RateLimiterOptions {
  /** Left out, limits are kept per instance: a process alone, or a test. */
  readonly redis?: LimitStore | undefined;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  readonly now?: () => number;
  readonly commandTimeoutMs?: number;
  /** Keys that are kept per instance; the least recently used go first. */
  readonly localKeysMax?: number;
}

const LOCAL_KEYS_MAX = 100_000;
const COMMAND_TIMEOUT_MS = 150;
/** After a failure Redis is left alone for this long, so that not every request waits for the timeout. */
const PAUSE_MS = 1_000;

export function createRateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const { redis, logger, metrics, now = Date.now } = options;
  const local = createLocalWindows(now, options.localKeysMax ?? LOCAL_KEYS_MAX);
  const shared = redis && createRedisWindows(redis, options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS);
  let pauseEndMs = Number.NEGATIVE_INFINITY;
  let isFallback = false;

  const setFallback = (value: boolean, error?: unknown): void => {
    if (isFallback === value) return;
    isFallback = value;
    metrics?.set('rate_limit_fallback_active', value ? 1 : 0);
    if (value) logger?.error({ err: error }, 'Redis is away: limits are kept per instance');
    else logger?.info('Redis is back: limits are shared again');
  };

  const ask = async (key: string, rule: RateRule): Promise<RateDecision> => {
    // Always counted here too, so that an outage doesn't hand out a fresh budget.
    const ownDecision = local(key, rule);
    if (shared === undefined || performance.now() < pauseEndMs) return ownDecision;
    try {
      const decision = await shared(key, rule);
      setFallback(false);
      return decision;
    } catch (error) {
      pauseEndMs = performance.now() + PAUSE_MS;
      metrics?.increment('rate_limit_store_errors_total');
      setFallback(true, error);
      return ownDecision;
    }
  };

  return {
    async take(name, key, rule) {
      const decision = await ask(`rl:${name}:${key}`, rule);
      metrics?.increment('rate_limit_requests_total', {
        class: name,
        key: keyKindOf(key),
        outcome: decision.allowed ? 'allowed' : 'refused',
      });
      return decision;
    },
    isFallback: () => isFallback,
  };
}

const KEY_KINDS: ReadonlySet<string> = new Set(['user', 'session', 'ip']);

/** By what a request is counted: what stands before the colon. The rest names somebody and becomes no label. */
function keyKindOf(key: string): string {
  const kind = key.slice(0, Math.max(0, key.indexOf(':')));
  return KEY_KINDS.has(kind) ? kind : 'other';
}

function createLocalWindows(now: () => number, keysMax: number) {
  const windows = new LRUCache<string, Slots>({ max: keysMax });
  return (key: string, rule: RateRule): RateDecision => {
    const nowMs = now();
    const slots = slide(windows.get(key) ?? [], rule, nowMs);
    const decision = decide(slots, rule, nowMs);
    windows.set(key, decision.allowed ? count(slots, rule, nowMs) : slots);
    return decision;
  };
}
