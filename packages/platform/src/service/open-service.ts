import { Redis } from 'ioredis';
import { type Bus, createBus } from '../bus/index.ts';
import type { ConfigOf, EncryptedValueAccess, platformVariables } from '../config/index.ts';
import { createDatabase, type Database } from '../database/index.ts';
import { engineTlsOptions, loadServiceIdentity, type ServiceIdentity } from '../identity/index.ts';
import { createRateLimiter, type RateLimiter } from '../limits/index.ts';
import { createHealth, type Health, type Lifecycle } from '../process/index.ts';
import { securityHeaderList } from '../rpc/index.ts';
import { createLogger, createMetrics, type Logger, type Metrics, serveMetrics } from '../telemetry/index.ts';
import { createClockCheck } from './clock-check.ts';
import { recordSecretAccesses } from './secret-access.ts';

export type ServiceConfig = ConfigOf<typeof platformVariables>;

/** What every service opens at its start, in this order, and closes in reverse. */
export interface ServiceResources {
  readonly name: string;
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Absent without TLS files: then the port takes calls in clear alone. */
  readonly identity: ServiceIdentity | undefined;
  readonly database: Database;
  readonly redis: Redis;
  readonly bus: Bus;
  readonly rateLimiter: RateLimiter;
}

const redisConnectTimeoutMs = 2_000;
const redisCommandTimeoutMs = 500;
const redisReconnectDelayMaxMs = 2_000;
const clockCheckMs = 10_000;

export interface OpenServiceOptions {
  readonly name: string;
  readonly config: ServiceConfig;
  /** What `loadServiceConfig` opened: put on record as soon as the database is there. */
  readonly accesses: readonly EncryptedValueAccess[];
  readonly lifecycle: Lifecycle;
}

/**
 * Opens what every service needs. A dependency that is away doesn't stop the start (F40): the process is not ready until
 * its database answers and the bus was there once (S1.5), and degraded whenever Redis or the bus is away later.
 */
export async function openService({
  name,
  config,
  accesses,
  lifecycle,
}: OpenServiceOptions): Promise<ServiceResources> {
  const logger = createLogger({ name, level: config.LOG_LEVEL });
  lifecycle.setLogger(logger);
  lifecycle.setDrainTimeout(config.SHUTDOWN_TIMEOUT_MS);
  const metrics = createMetrics({ name });
  const metricsServer = await serveMetrics(metrics, {
    host: config.METRICS_HOST,
    port: config.METRICS_PORT,
    headers: await securityHeaderList(),
  });
  lifecycle.onClose(() => metricsServer.close());
  const health = createHealth({
    onCheck: ({ name: check, status }) => metrics.set('health_status', status === 'ok' ? 1 : 0, { check }),
  });
  lifecycle.onStop(() => health.setClosing());
  const identity =
    config.TLS_CERT_FILE === undefined ? undefined : await loadServiceIdentity(config, { logger, metrics });
  if (identity !== undefined) lifecycle.onClose(() => identity.close());
  const database = await createDatabase({ url: config.DATABASE_URL, name, config, logger, metrics });
  lifecycle.onClose(() => database.close());
  void recordSecretAccesses({ name, database, logger, signal: lifecycle.signal }, accesses);
  const redis = openRedis(config.REDIS_URL, logger, config.ENGINES_CA_FILE);
  lifecycle.onClose(() => redis.disconnect());
  const bus = createBus({ url: config.NATS_URL, name, logger, metrics, caFile: config.ENGINES_CA_FILE });
  lifecycle.onClose(() => bus.close());
  addChecks(health, { database, redis, bus }, lifecycle.signal);
  const rateLimiter = createRateLimiter({ redis, logger, metrics });
  return { name, config, logger, metrics, health, identity, database, redis, bus, rateLimiter };
}

/** Commands fail soon instead of waiting for a Redis that is away; it is connected again in the background, for ever. */
export function openRedis(url: string, logger: Logger, caFile?: string): Redis {
  const redis = new Redis(url, {
    ...(url.startsWith('rediss:') ? { tls: engineTlsOptions(caFile) } : {}),
    connectTimeout: redisConnectTimeoutMs,
    commandTimeout: redisCommandTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(attempt * 100, redisReconnectDelayMaxMs),
  });
  let isAway = false;
  redis.on('error', (error) => {
    if (!isAway) logger.warn({ err: error }, 'Redis is away');
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) logger.info('Redis is back');
    isAway = false;
  });
  return redis;
}

function addChecks(
  health: Health,
  { database, redis, bus }: Pick<ServiceResources, 'database' | 'redis' | 'bus'>,
  signal: AbortSignal,
): void {
  let hasSeenBus = false;
  bus.ready(signal).then(
    () => {
      hasSeenBus = true;
    },
    () => {
      // Only when the process ends before the bus was there: it never becomes ready.
      hasSeenBus = false;
    },
  );
  health.add('postgres', () => database.check(), { required: true });
  health.add('events', () => (hasSeenBus ? undefined : 'the bus was not reached yet'), { required: true, cacheMs: 0 });
  health.add('clock', createClockCheck(database), { cacheMs: clockCheckMs });
  health.add('nats', () => bus.check());
  health.add('redis', async () => void (await redis.ping()));
}
