export { type BackoffOptions, backoffMs, pause } from './backoff.ts';
export { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from './breaker.ts';
export { type Bulkhead, type BulkheadOptions, createBulkhead } from './bulkhead.ts';
export {
  type ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  createConcurrencyLimit,
  type Permit,
} from './concurrency-limit.ts';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export {
  createStaleReads,
  type Question,
  type ReadCache,
  type StaleReads,
  type StaleReadsOptions,
} from './stale-reads.ts';
