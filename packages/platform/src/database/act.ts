export type ActorKind = 'user' | 'service' | 'anonymous' | 'database';

/** Who does what is written. Empty texts where something isn't known. `actOf(call)` of rpc makes one of a call. */
export interface Act {
  readonly actorId: string;
  readonly actorKind: ActorKind;
  /** For an actor that is no person: the service's name. */
  readonly actorName: string;
  readonly requestId: string;
  readonly traceId: string;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly deviceId: string;
}

/** For what a process does by itself: jobs, consumers, reconcilers. */
export function serviceAct(name: string, known: Partial<Act> = {}): Act {
  return {
    actorId: '',
    requestId: '',
    traceId: '',
    ipAddress: '',
    userAgent: '',
    deviceId: '',
    ...known,
    actorKind: 'service',
    actorName: name,
  };
}
