import type { Interceptor } from '@connectrpc/connect';
import { hasReason } from '../errors/service-error.ts';
import { askForStepUp } from '../session/step-up-request.ts';

/** RFC 9470: a call that needs a fresher or stronger authentication is made again once the person has given it. */
export const stepUp: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    const isOwn = request.method.name === 'StepUp';
    if (request.stream || isOwn || !hasReason(error, 'STEP_UP_REQUIRED')) throw error;
    if (!(await askForStepUp())) throw error;
    return next(request);
  }
};
