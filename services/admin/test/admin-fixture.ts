import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { createClient, createRouterTransport, type ServiceImpl } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type AuditEvent, AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { createBus } from '@strongroom/platform/bus';
import { loadConfig } from '@strongroom/platform/config';
import { keyringFromConfig } from '@strongroom/platform/crypto';
import { createDatabase } from '@strongroom/platform/database';
import { loadServiceIdentity, writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { createRateLimiter } from '@strongroom/platform/limits';
import { noticeKeyFromConfig } from '@strongroom/platform/outbox';
import { createHealth } from '@strongroom/platform/process';
import { createServiceClient } from '@strongroom/platform/rpc';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { createTestDatabase, createTestNats, createTestTokens, openSql } from '@strongroom/testkit';
import { parseVerifierKey } from '@strongroom/tlog';
import type { Test } from 'tap';
import { openPlaces } from '../src/anomaly/places.ts';
import { buildApp } from '../src/app.ts';
import { createLogTail } from '../src/audit/log-tail.ts';
import { createWatchers } from '../src/audit/watchers.ts';
import { openAuditDatabase } from '../src/audit-database.ts';
import { adminVariables } from '../src/config.ts';
import { createFlagBoard } from '../src/flag/flag-board.ts';
import { readAuditLag } from '../src/health/audit-lag.ts';
import { createProbes } from '../src/health/probes.ts';
import { openLog } from '../src/log.ts';
import { startWorkers } from '../src/workers.ts';

export interface AdminOptions {
  /** What auth answers; a method that is left out is UNIMPLEMENTED. */
  readonly auth?: Partial<ServiceImpl<typeof AuthService>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The admin service on databases and a bus of its own, with its workers running, called as people and services do. */
export async function startAdmin(t: Test, options: AdminOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-admin-'));
  const [adminDatabase, auditTestDatabase, nats] = await Promise.all([
    createTestDatabase('admin'),
    createTestDatabase('audit'),
    createTestNats(),
  ]);
  const env = {
    STRONGROOM_ENV: 'test',
    DATABASE_URL: adminDatabase.runtimeUrl,
    AUDIT_DATABASE_URL: auditTestDatabase.runtimeUrl,
    NATS_URL: nats.url,
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
    AUDIT_KEYSTORE_DIR: join(folder, 'keys'),
    LOG_KEY_FILE: join(folder, 'log.key'),
    LOG_ORIGIN: 'strongroom.test/audit',
    RATE_LIMIT_SERVICE_MAX: '100000',
    CHECKPOINT_INTERVAL_MS: '200',
    ANOMALY_INTERVAL_MS: '100',
    ...options.env,
  };
  const config = await loadConfig(adminVariables, env);
  const tlsFolder = join(folder, 'tls');
  await writeDevelopmentCertificates(tlsFolder, ['admin', 'gateway', 'payments', 'profile']);
  const identityOf = (name: string) =>
    loadServiceIdentity({
      TLS_CA_FILE: join(tlsFolder, 'ca.pem'),
      TLS_CERT_FILE: join(tlsFolder, `${name}.pem`),
      TLS_KEY_FILE: join(tlsFolder, `${name}.key.pem`),
    });
  const logger = createLogger({ name: 'admin', level: process.env['LOG_LEVEL'] ?? 'silent' });
  const metrics = createMetrics({ name: 'admin', processMetrics: false });
  const database = await createDatabase({ url: config.DATABASE_URL, name: 'admin', config, logger, metrics });
  const auditDatabase = await openAuditDatabase({ url: config.AUDIT_DATABASE_URL, config, logger, metrics });
  const bus = createBus({ url: nats.url, name: 'admin', logger, metrics });
  const keyring = keyringFromConfig(config);
  const log = await openLog(config, { auditDatabase, keyring, logger, metrics });
  const tokens = createTestTokens();
  const health = createHealth();
  const redis = { ping: async () => 'PONG' };
  const authTransport = createRouterTransport(({ service }) => void service(AuthService, options.auth ?? {}));
  const identity = await identityOf('admin');
  const deps = {
    config,
    database,
    auditDatabase,
    auth: createClient(AuthService, authTransport),
    authenticator: tokens.authenticator,
    bus,
    keyring,
    noticeKey: noticeKeyFromConfig(config),
    ...log,
    isLogPublic: config.TLOG_PUBLIC,
    health,
    identity,
    logger,
    metrics,
    rateLimiter: createRateLimiter(),
    logTail: createLogTail(),
    watchers: createWatchers(),
    findPlace: await openPlaces(config.GEOIP_DATABASE_FILE),
    flags: createFlagBoard({ database, bus, logger, metrics }),
    probes: createProbes({ config, identity, database, auditDatabase, redis, bus, health, ...log }),
    auditLag: () => readAuditLag({ bus, auditDatabase }),
  };
  health.setStarted(true);
  const app = await buildApp(deps);
  const workers = startWorkers(deps, config);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const superuser = openSql(auditTestDatabase.superuserUrl);
  const adminSuperuser = openSql(adminDatabase.superuserUrl);
  const closers: (() => Promise<unknown> | unknown)[] = [];
  t.teardown(async () => {
    for (const close of closers.reverse()) await close();
    await app.close();
    await workers.stop();
    await Promise.all(deps.probes.map((probe) => probe.close()));
    await bus.close();
    await Promise.all([database.close(), auditDatabase.close(), superuser.end(), adminSuperuser.end()]);
    identity.close();
    await Promise.all([adminDatabase.drop(), auditTestDatabase.drop(), nats.close()]);
    await rm(folder, { recursive: true, force: true });
  });
  const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, httpVersion: '1.1' });
  const adminId = randomUUID();
  return {
    ...deps,
    adminId,
    adminDatabase,
    auditTestDatabase,
    adminSuperuser,
    env,
    folder,
    nats,
    port,
    superuser,
    tokens,
    workers,
    client: createClient(AdminService, transport),
    /** Call options of a person; an administrator unless said otherwise. */
    as: (userId: string = adminId, role: 'ADMIN' | 'VENDOR' | 'CUSTOMER' = 'ADMIN') => ({
      headers: { authorization: `Bearer ${tokens.token({ userId, role })}` },
    }),
    /** A client with a service's certificate. */
    async service(name: string) {
      const serviceIdentity = await identityOf(name);
      const client = createServiceClient(AdminService, {
        name: 'admin',
        url: `https://127.0.0.1:${port}`,
        identity: serviceIdentity,
      });
      closers.push(
        () => client.close(),
        () => serviceIdentity.close(),
      );
      return client;
    },
    /** Publishes as the relay of a service does, past any outbox. */
    async publish(event: AuditEvent) {
      await bus.ready();
      await bus.publish(`strongroom.events.${event.source}.${event.action}`, toBinary(AuditEventSchema, event), {
        messageId: event.id,
      });
    },
  };
}

export type AdminFixture = Awaited<ReturnType<typeof startAdmin>>;

/** By the log's public key alone, as it is published. */
export async function trustOf(admin: AdminFixture) {
  const logKey = parseVerifierKey((await readFile(`${admin.env.LOG_KEY_FILE}.pub`, 'utf8')).trim());
  return { origin: admin.env.LOG_ORIGIN, logKeys: [logKey], witnessKeys: [], quorum: 0 };
}
