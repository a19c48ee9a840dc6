import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { readServiceError } from '../../errors/index.ts';
import { backoffMs, pause, type RetryBudget } from '../../resilience/index.ts';
import type { Deadline } from '../call.ts';

const RETRIES_MAX = 3; // S5.2

export interface RetryOptions {
  readonly method: DescMethod;
  readonly deadline: Deadline;
  readonly budget: RetryBudget;
  /** Asked for only when there is something to wait for. */
  readonly signal: () => AbortSignal | undefined;
  readonly onRetry: () => void;
  readonly onBudgetExhausted: () => void;
  readonly random?: () => number;
}

/** Only what the contract calls idempotent is ever sent twice. */
export function isRetryable(method: DescMethod): boolean {
  return method.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS || method.idempotency === IdempotencyLevel.IDEMPOTENT;
}

/** Runs the attempt again while that may help, the budget pays for it, and the deadline leaves time. */
export async function withRetries<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  options.budget.recordCall();
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (retries >= RETRIES_MAX || !isRetryable(options.method)) throw error;
      const delayMs = retryDelayMs(error, retries, options.random);
      if (delayMs === undefined || delayMs >= options.deadline.remainingMs()) throw error;
      if (!options.budget.tryRetry()) {
        options.onBudgetExhausted();
        throw error;
      }
      options.onRetry();
      await pause(delayMs, options.signal()).catch(() => {
        throw error; // the caller has gone while we waited
      });
    }
  }
}

/** Held back on this side, for a reason that the next attempt would meet as well. */
const NEVER_SENT: ReadonlySet<string> = new Set(['breaker', 'bulkhead']);

/** When to try again; undefined if not at all. What the service says about it (RetryInfo) counts more than our own plan. */
function retryDelayMs(error: unknown, retries: number, random?: () => number): number | undefined {
  if (!(error instanceof ConnectError) || error.code !== Code.Unavailable) return undefined;
  const service = readServiceError(error);
  if (NEVER_SENT.has(service?.metadata['cause'] ?? '') || service?.retry === 'never') return undefined;
  return Math.max(service?.retryAfterMs ?? 0, backoffMs(retries, { random }));
}
