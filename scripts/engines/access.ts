import type { ServiceName } from '../support/names.ts';

/**
 * What each service may do in Redis: its own keys and none of the commands that look at or change the server.
 * ioredis asks INFO before it calls a connection ready.
 */
export function redisAccessOf(service: ServiceName): string {
  const keys = redisKeysOf[service].map((pattern) => `~${pattern}`).join(' ');
  return `${keys} &* +@all -@dangerous -@admin +info`;
}

const redisKeysOf: Record<ServiceName, readonly string[]> = {
  auth: ['*'],
  payments: ['*'],
  profile: ['*'],
  admin: ['*'],
  gateway: ['*'],
};

export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export const natsPermissionsOf: Record<ServiceName, NatsPermissions> = {
  auth: { publish: ['>'], subscribe: ['>'] },
  payments: { publish: ['>'], subscribe: ['>'] },
  profile: { publish: ['>'], subscribe: ['>'] },
  admin: { publish: ['>'], subscribe: ['>'] },
  gateway: { publish: ['>'], subscribe: ['>'] },
};
