/** A budget of retries for one target: each call pays in, each retry takes out (S5.2). */
export interface RetryBudget {
  recordCall(): void;
  /** Takes one retry out, if there is one. */
  tryRetry(): boolean;
}

export interface RetryBudgetOptions {
  /** Share of a retry that each call pays in. */
  readonly ratio?: number;
  /** Retries that can be saved up, and that are there at the start. */
  readonly retriesMax?: number;
}

/**
 * A target that fails altogether sees at most 1.1 times the traffic: a call may go through two clients, the edge's and a
 * service's, whose retries multiply, and those that were saved up come on top.
 */
const RETRY_RATIO = 0.04;
const RETRIES_MAX = 10;

export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { ratio = RETRY_RATIO, retriesMax = RETRIES_MAX } = options;
  let tokens = retriesMax;
  return {
    recordCall() {
      tokens = Math.min(retriesMax, tokens + ratio);
    },
    tryRetry() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
