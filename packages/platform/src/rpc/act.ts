import type { Call } from './call.ts';

/** Who does what is written, for the write audit and for events. */
export interface CallAct {
  readonly actorId: string;
  readonly actorKind: 'user' | 'service' | 'anonymous';
  readonly actorName: string;
  readonly requestId: string;
  readonly traceId: string;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly deviceId: string;
}

/** The person if there is one, else the service that calls, else nobody known. */
export function actOf(call: Call): CallAct {
  const { requestId, traceId, ipAddress, userAgent, deviceId } = call;
  return { ...actorOf(call), requestId, traceId, ipAddress, userAgent, deviceId };
}

function actorOf({ principal, caller }: Call): Pick<CallAct, 'actorId' | 'actorKind' | 'actorName'> {
  if (principal !== undefined) return { actorId: principal.userId, actorKind: 'user', actorName: '' };
  // The gateway passes on what anonymous people ask; it asks nothing itself.
  if (caller === undefined || caller === 'gateway') return { actorId: '', actorKind: 'anonymous', actorName: '' };
  return { actorId: '', actorKind: 'service', actorName: caller };
}
