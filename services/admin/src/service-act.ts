/** What admin does by itself, on behalf of nobody. */
export const serviceAct = {
  actorId: '',
  actorKind: 'service',
  actorName: 'admin',
  requestId: '',
  traceId: '',
  ipAddress: '',
  userAgent: '',
  deviceId: '',
} as const;
