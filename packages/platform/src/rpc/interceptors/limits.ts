import { LimitClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import type { RateLimiter, RateRule } from '../../limits/index.ts';
import type { CallInterceptor } from './interceptor.ts';

const LIMIT_NAME = 'service';

/**
 * The limit of each service itself (S1.1b). Other services are exempt by their certificate: the gateway has limited the
 * person already, and a limit on the gateway would be one for everybody together.
 */
export function createLimitsInterceptor(limiter: RateLimiter, serviceName: string, rule: RateRule): CallInterceptor {
  return (_method, policy) => {
    if (policy.limit === LimitClass.NONE) return undefined;
    return async (call) => {
      if (call.caller !== undefined) return;
      const decision = await limiter.take(LIMIT_NAME, `${serviceName}:${call.ipAddress}`, rule);
      if (decision.allowed) return;
      throw commonErrors.RATE_LIMITED({
        retryAfterMs: decision.retryAfterMs,
        metadata: { limit: String(decision.limit), remaining: '0', resetMs: String(decision.resetMs) },
      });
    };
  };
}
