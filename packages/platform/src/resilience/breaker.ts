import CircuitBreaker from 'opossum';
import { commonErrors, isServiceError } from '../errors/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

export interface BreakerOptions {
  /** Share of failures that opens it, in percent. */
  readonly errorThresholdPercentage?: number;
  /** Fewest calls in the window before it can open. */
  readonly volumeThreshold?: number;
  /** After this long one call is let through to try. */
  readonly resetTimeoutMs?: number;
  readonly windowMs?: number;
  /** Which errors count. What is the caller's own fault never does (S5.1). */
  readonly isFailure?: (error: unknown) => boolean;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

export interface Breaker<Arguments extends unknown[], Result> {
  readonly name: string;
  /** Runs the function, or throws UNAVAILABLE at once while the breaker is open. */
  run(...parts: Arguments): Promise<Result>;
  state(): BreakerState;
  close(): void;
}

const ERROR_THRESHOLD_PERCENTAGE = 50;
const VOLUME_THRESHOLD = 10;
const RESET_TIMEOUT_MS = 1_000;
const WINDOW_MS = 10_000;
const WINDOW_BUCKETS = 10;

/** A circuit breaker around a call of something that can be down: PostgreSQL, Redis, NATS, the PSP, a service. */
export function createBreaker<Arguments extends unknown[], Result>(
  name: string,
  run: (...parts: Arguments) => Promise<Result>,
  options: BreakerOptions = {},
): Breaker<Arguments, Result> {
  const { logger, metrics, resetTimeoutMs = RESET_TIMEOUT_MS, isFailure = () => true } = options;
  const breaker = new CircuitBreaker(run, {
    name,
    timeout: false, // deadlines belong to the call
    resetTimeout: resetTimeoutMs,
    errorThresholdPercentage: options.errorThresholdPercentage ?? ERROR_THRESHOLD_PERCENTAGE,
    volumeThreshold: options.volumeThreshold ?? VOLUME_THRESHOLD,
    rollingCountTimeout: options.windowMs ?? WINDOW_MS,
    rollingCountBuckets: WINDOW_BUCKETS,
    rollingPercentilesEnabled: false,
    errorFilter: (error: unknown) => !isFailure(error),
  });
  const state = (): BreakerState => (breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed');
  metrics?.watch('circuit_breaker_state', () => stateValues[state()], { name });
  for (const event of ['open', 'halfOpen', 'close'] as const) {
    metrics?.add('circuit_breaker_events_total', 0, { name, event });
    (breaker as { on(event: string, listener: () => void): unknown }).on(event, () => {
      metrics?.increment('circuit_breaker_events_total', { name, event });
      logger?.warn({ breaker: name, state: state() }, 'circuit breaker changed');
    });
  }
  return {
    name,
    async run(...parts) {
      if (breaker.opened)
        throw commonErrors.UNAVAILABLE({ retryAfterMs: resetTimeoutMs, metadata: { cause: 'breaker' } });
      try {
        return await breaker.fire(...parts);
      } catch (error) {
        // Another call opened it, or tries it out, in the meantime.
        if (isOpenError(error)) throw commonErrors.UNAVAILABLE({ retryAfterMs: resetTimeoutMs, cause: error });
        throw error;
      }
    },
    state,
    close: () => breaker.shutdown(),
  };
}

const stateValues: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

function isOpenError(error: unknown): boolean {
  return !isServiceError(error) && (error as { code?: unknown } | null)?.code === 'EOPENBREAKER';
}
