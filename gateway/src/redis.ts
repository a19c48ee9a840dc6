import { engineTlsOptions } from '@strongroom/platform/identity';
import type { Logger } from '@strongroom/platform/telemetry';
import { Redis } from 'ioredis';

const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MAX_MS = 1_000;

/**
 * Redis for limits and deny-list: a command that can't be sent fails at once, since each of them has another way to go
 * on; the connection comes back by itself.
 */
export function createEdgeRedis(url: string, logger: Logger, caFile?: string): Redis {
  const redis = new Redis(url, {
    ...(url.startsWith('rediss:') ? { tls: engineTlsOptions(caFile) } : {}),
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MAX_MS),
  });
  let isDown = false;
  redis.on('error', (error) => {
    // Once an outage: ioredis reports every attempt to reconnect.
    if (!isDown) logger.warn({ err: error }, 'Redis is away');
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) logger.info('Redis is back');
    isDown = false;
  });
  return redis;
}
