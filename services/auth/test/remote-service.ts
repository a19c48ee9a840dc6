import { createBus } from '@strongroom/platform/bus';
import { loadConfig, platformVariables } from '@strongroom/platform/config';
import { readServiceError } from '@strongroom/platform/errors';
import { openRedis, openRemoteAuthenticator } from '@strongroom/platform/service';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { until } from '@strongroom/testkit';
import type { AuthFixture } from './auth-fixture.ts';

/** How every service but auth judges tokens: as their main.ts does it, with connections of its own. */
export async function openRemoteService(fixture: AuthFixture, redisUrl = fixture.environment['REDIS_URL'] ?? '') {
  const config = await loadConfig(platformVariables, { ...fixture.environment, AUTH_URL: fixture.url });
  const logger = createLogger({ name: 'payments', level: 'silent' });
  const metrics = createMetrics({ name: 'payments', processMetrics: false });
  const identity = await fixture.identityOf('payments');
  const redis = openRedis(redisUrl, logger);
  await until(() => redis.status === 'ready', { what: 'the service’s connection to Redis' });
  const bus = createBus({ url: config.NATS_URL, name: 'payments', logger, metrics });
  const closers: (() => unknown)[] = [];
  const { authenticator } = await openRemoteAuthenticator(
    { config, identity, logger, metrics, redis, bus },
    { onClose: (close) => void closers.push(close) },
  );
  return {
    redis,
    /** `answered`, or the reason of the refusal. */
    judge: (token: string) =>
      authenticator.authenticate(token).then(
        () => 'answered',
        (error: unknown) => readServiceError(error)?.reason ?? String(error),
      ),
    async close() {
      for (const close of closers) await close();
      await bus.close();
      redis.disconnect();
      identity.close();
    },
  };
}
