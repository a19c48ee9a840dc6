import { randomBytes } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { createBus } from '@strongroom/platform/bus';
import { loadConfig } from '@strongroom/platform/config';
import { createFieldCipher, createKeyring } from '@strongroom/platform/crypto';
import { createDatabase } from '@strongroom/platform/database';
import type { Flags } from '@strongroom/platform/flags';
import { createRateLimiter } from '@strongroom/platform/limits';
import { createHealth } from '@strongroom/platform/process';
import { createStaleReads, type ReadCache } from '@strongroom/platform/resilience';
import { createServiceClient } from '@strongroom/platform/rpc';
import { openRedis } from '@strongroom/platform/service';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { createTestDatabase, createTestTokens, openSql } from '@strongroom/testkit';
import type { Test } from 'tap';
import { buildApp } from '../src/app.ts';
import { profileVariables } from '../src/config.ts';

/** An address where nobody answers: these tests call no other service. */
const nowhere = 'http://127.0.0.1:9';

export interface ProfileOptions {
  readonly flags?: Flags;
  /** For tests of outages: what stands between the service and its database, and what it has beside it. */
  readonly outage?: {
    databaseUrlFor(url: string): Promise<string>;
    readonly redisUrl: string;
    readonly natsUrl: string;
  };
}

/** For tests that don't look at outages: nothing is kept. */
const noCache: ReadCache = { hgetBuffer: async () => null, eval: async () => 0 };

/** The profile service on a database of its own, called over HTTP as an operator would. */
export async function startProfile(t: Test, { flags, outage }: ProfileOptions = {}) {
  const testDatabase = await createTestDatabase('profile');
  const keyring = createKeyring([{ id: 'test-1', key: randomBytes(32) }]);
  const config = await loadConfig(profileVariables, {
    STRONGROOM_ENV: 'test',
    DATABASE_URL: (await outage?.databaseUrlFor(testDatabase.runtimeUrl)) ?? testDatabase.runtimeUrl,
    DB_CONNECTION_TIMEOUT: outage === undefined ? '30' : '1',
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
    RATE_LIMIT_SERVICE_MAX: '100000',
  });
  const logger = createLogger({ name: 'profile', level: 'silent' });
  const metrics = createMetrics({ name: 'profile' });
  const database = await createDatabase({ url: config.DATABASE_URL, name: 'profile', config, logger, metrics });
  const tokens = createTestTokens();
  const cipher = createFieldCipher(keyring);
  const redis = outage === undefined ? undefined : openRedis(outage.redisUrl, logger);
  const bus = outage === undefined ? undefined : createBus({ url: outage.natsUrl, name: 'profile', logger });
  await bus?.ready();
  const staleReads = createStaleReads({
    name: 'profile',
    cache: redis ?? noCache,
    keyring,
    ttlS: config.STALE_READ_TTL_S,
    logger,
    metrics,
  });
  const deps = {
    database,
    cipher,
    staleReads,
    bus,
    logger,
    metrics,
    health: createHealth(),
    rateLimiter: createRateLimiter(),
    authenticator: tokens.authenticator,
    identity: undefined,
    config,
    flags,
    auth: createServiceClient(AuthService, { name: 'auth', url: nowhere }),
    payments: createServiceClient(PaymentsService, { name: 'payments', url: nowhere }),
    admin: createServiceClient(AdminService, { name: 'admin', url: nowhere }),
  };
  const app = await buildApp(deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, httpVersion: '1.1' });
  const superuser = openSql(testDatabase.superuserUrl);
  t.teardown(async () => {
    await app.close();
    await bus?.close();
    redis?.disconnect();
    await database.close();
    await superuser.end();
    await testDatabase.drop();
  });
  return {
    client: createClient(ProfileService, transport),
    deps,
    database,
    cipher,
    superuser,
    tokens,
    /** Call options of a person. */
    as: (userId: string, options: { readonly authenticationAgeS?: number } = {}) => ({
      headers: { authorization: `Bearer ${tokens.token({ userId, ...options })}` },
    }),
  };
}
