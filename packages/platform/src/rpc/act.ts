import type { Act } from '../database/index.ts';
import type { Call } from './call.ts';

/** The person if there is one, else the service that calls, else nobody known. */
export function actOf(call: Call): Act {
  const { requestId, traceId, ipAddress, userAgent, deviceId } = call;
  return { ...actorOf(call), requestId, traceId, ipAddress, userAgent, deviceId };
}

function actorOf({ principal, caller }: Call): Pick<Act, 'actorId' | 'actorKind' | 'actorName'> {
  if (principal !== undefined) return { actorId: principal.userId, actorKind: 'user', actorName: '' };
  // The gateway passes on what anonymous people ask; it asks nothing itself.
  if (caller === undefined || caller === 'gateway') return { actorId: '', actorKind: 'anonymous', actorName: '' };
  return { actorId: '', actorKind: 'service', actorName: caller };
}
