import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { type EncryptedValueAccess, loadConfig } from '@strongroom/platform/config';
import { loadServiceIdentity, type ServiceIdentity, type TokenVerification } from '@strongroom/platform/identity';
import { createRateLimiter } from '@strongroom/platform/limits';
import { createHealth, type Health, type Lifecycle, runProcess } from '@strongroom/platform/process';
import { securityHeaderList } from '@strongroom/platform/rpc';
import { createLogger, createMetrics, type Logger, type Metrics, serveMetrics } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';
import { buildApp } from './app.ts';
import { createTokenReader } from './authentication.ts';
import { createServiceTarget, type ServiceTarget } from './clients.ts';
import { type GatewayConfig, gatewayVariables } from './config.ts';
import { createProofLedger } from './edge/proof-ledger.ts';
import { createEdgeRedis } from './redis.ts';

const name = 'gateway';

runProcess({ name, main });

async function main(lifecycle: Lifecycle): Promise<void> {
  const accesses: EncryptedValueAccess[] = [];
  const config = await loadConfig(gatewayVariables, process.env, { onAccess: (access) => accesses.push(access) });
  const logger = createLogger({ name, level: config.LOG_LEVEL });
  lifecycle.setLogger(logger);
  // The edge has no database, and so no outbox: its openings stand in its log.
  for (const access of accesses) logger.info(access, 'an encrypted value was opened');
  lifecycle.setDrainTimeout(config.SHUTDOWN_TIMEOUT_MS);
  const metrics = createMetrics({ name });
  const health = createHealth({
    onCheck: ({ name: check, status }) => metrics.set('health_status', status === 'ok' ? 1 : 0, { check }),
  });
  const metricsServer = await serveMetrics(metrics, {
    host: config.METRICS_HOST,
    port: config.METRICS_PORT,
    headers: await securityHeaderList(),
  });
  lifecycle.onClose(() => metricsServer.close());

  const identity =
    config.TLS_CERT_FILE === undefined ? undefined : await loadServiceIdentity(config, { logger, metrics });
  lifecycle.onClose(() => identity?.close());
  const redis = createEdgeRedis(config.REDIS_URL, logger, config.ENGINES_CA_FILE);
  lifecycle.onClose(() => redis.disconnect());
  const tokens = createTokenReader({ config, identity, redis, logger });
  lifecycle.onClose(() => tokens.close());
  const targets = createTargets(config, identity, logger, metrics);
  lifecycle.onClose(() => Promise.all(targets.map((target) => target.close())));

  const app = await buildApp({
    config: { ...config, CONSOLE_FOLDER: resolve(config.CONSOLE_FOLDER) },
    targets,
    descriptors: createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(config.DESCRIPTORS_FILE))),
    authenticator: tokens.authenticator,
    limiter: createRateLimiter({ redis, logger, metrics }),
    proofs: createProofLedger(redis, logger),
    health,
    logger,
    metrics,
  });
  lifecycle.onClose(() => app.close());
  lifecycle.onStop(() => health.setClosing());
  addChecks(health, redis, targets, tokens);
  await tokens.refreshKeys();
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  health.setStarted(true);
  logger.info({ address }, 'gateway is listening');
}

function createTargets(
  config: GatewayConfig,
  identity: ServiceIdentity | undefined,
  logger: Logger,
  metrics: Metrics,
): ServiceTarget[] {
  const shared = { identity, logger, metrics, streamsMax: config.EDGE_STREAMS_MAX };
  return [
    createServiceTarget({ ...shared, name: 'auth', service: AuthService, url: config.AUTH_URL }),
    createServiceTarget({ ...shared, name: 'payments', service: PaymentsService, url: config.PAYMENTS_URL }),
    createServiceTarget({ ...shared, name: 'profile', service: ProfileService, url: config.PROFILE_URL }),
    createServiceTarget({ ...shared, name: 'admin', service: AdminService, url: config.ADMIN_URL }),
  ];
}

/**
 * Without keys no token can be told from another, so the edge isn't ready; without Redis or one of the services it goes on
 * for all the others (S5.3).
 */
function addChecks(health: Health, redis: Redis, targets: readonly ServiceTarget[], tokens: TokenVerification): void {
  const checkKeys = async () => {
    if (!tokens.hasKeys()) await tokens.refreshKeys();
    return tokens.hasKeys() ? undefined : 'no keys of auth yet';
  };
  health.add('keys', checkKeys, { required: true });
  health.add('redis', async () => void (await redis.ping()));
  for (const target of targets) {
    health.add(target.name, async () => {
      const answer = await target.dispatcher.current().request({ path: '/readyz', method: 'GET' });
      await answer.body.dump();
      return answer.statusCode === 200 ? undefined : 'not ready';
    });
  }
}
