export { createRateLimiter, type RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';
export { flushLimits, type LimitStore } from './redis-windows.ts';
export type { RateDecision, RateRule } from './sliding-window.ts';
