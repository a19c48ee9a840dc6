// The auth service on real engines, called as the gateway and the other services call it: over mTLS.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type AuditEvent, AuditEventSchema, NoticeSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { createBus } from '@strongroom/platform/bus';
import { loadConfig } from '@strongroom/platform/config';
import { createDatabase } from '@strongroom/platform/database';
import { readServiceError } from '@strongroom/platform/errors';
import { loadServiceIdentity, type ServiceIdentity, writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { createRateLimiter } from '@strongroom/platform/limits';
import { openNotice } from '@strongroom/platform/outbox';
import { createHealth } from '@strongroom/platform/process';
import { createServiceClient, forward, type ServiceClient } from '@strongroom/platform/rpc';
import { openRedis } from '@strongroom/platform/service';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import {
  createTestDatabase,
  createTestNats,
  createTestRedis,
  openSql,
  spawnProcess,
  type TestProcess,
} from '@strongroom/testkit';
import { type App, buildApp } from '../src/app.ts';
import { authVariables } from '../src/config.ts';

export type Auth = ServiceClient<typeof AuthService>;

/** Who calls, from where, with what. */
export interface Caller {
  token?: string | undefined;
  /** Thumbprint of the key that the edge has seen proven. */
  provenKey?: string;
  ip?: string;
  agent?: string;
  device?: string;
  headers?: Record<string, string>;
}

export interface AuthFixture {
  readonly app: App;
  /** As the gateway: for what people call. */
  readonly auth: Auth;
  /** As another service: for what is internal. */
  as(name: 'admin' | 'payments' | 'profile'): Auth;
  /** Options of a call by a person. */
  by(caller?: Caller): ReturnType<typeof forward>;
  readonly sql: ReturnType<typeof openSql>;
  readonly url: string;
  /** What the instances are configured with. */
  readonly environment: Readonly<Record<string, string>>;
  /** For a process beside auth; to be closed by whoever asks. */
  identityOf(name: 'admin' | 'gateway' | 'payments' | 'profile'): Promise<ServiceIdentity>;
  /** Log lines written so far. */
  readonly logs: string[];
  readonly clock: { offsetMs: number };
  events(action?: string): Promise<AuditEvent[]>;
  /** Values of the notices asked for, newest last. */
  notices(template?: string): Promise<{ template: string; email: string; values: Record<string, string> }[]>;
  /** Another instance on the same engines as a process of its own, which may be killed. */
  spawn(failpoints: string, overrides?: Record<string, string>): Promise<{ process: TestProcess; auth: Auth }>;
  /** Another instance on the same engines. */
  another(overrides?: Record<string, string>): Promise<{ app: App; auth: Auth }>;
  close(): Promise<void>;
}

export interface FixtureOptions {
  env?: Record<string, string>;
  redisUrl?: string;
  databaseUrl?: string;
}

/** 12 characters of each kind that no dictionary has. */
export const goodPassword = 'Quartz-Tiger-42-Vault!';
export const otherPassword = 'Marble-Falcon-87-Orchid?';

/** On a machine that does much else besides. */
const startTimeoutMs = 90_000;

let counter = 0;
export function uniqueEmail(): string {
  counter += 1;
  return `person${counter}.${randomBytes(4).toString('hex')}@example.com`;
}

/** The reason of a refused call; fails the test when the call is answered. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return readServiceError(error)?.reason ?? String(error);
  }
  return 'answered';
}

export async function errorOf(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    return { error: error as ConnectError, ...readServiceError(error) };
  }
  throw new Error('the call was answered');
}

export async function createAuthFixture(options: FixtureOptions = {}): Promise<AuthFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-test-'));
  await writeDevelopmentCertificates(folder, ['auth', 'gateway', 'admin', 'payments', 'profile']);
  const database = await createTestDatabase('auth');
  const redis = options.redisUrl === undefined ? await createTestRedis() : undefined;
  const nats = await createTestNats();
  const sql = openSql(database.superuserUrl);
  const logs: string[] = [];
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const clock = { offsetMs: 0 };
  const masterKey = randomBytes(32).toString('hex');

  const environment = {
    STRONGROOM_ENV: 'test',
    DATABASE_URL: options.databaseUrl ?? database.runtimeUrl,
    REDIS_URL: options.redisUrl ?? redis?.url ?? '',
    NATS_URL: nats.url,
    ENCRYPTION_MASTER_KEY: masterKey,
    BCRYPT_COST: '4',
    PASSWORD_QUEUE_MAX: '1000',
    LOG_LEVEL: 'warn',
    FIRST_ADMIN_FILE: join(folder, 'first-admin.json'),
    RATE_LIMIT_SERVICE_MAX: '1000000',
    DB_POOL_WAIT_MS: '30000',
    ...tlsFilesOf(folder, 'auth'),
    ...options.env,
  };

  async function start(overrides: Record<string, string> = {}) {
    const config = await loadConfig(authVariables, { ...environment, ...overrides });
    const logger = createLogger({
      name: 'auth',
      level: config.LOG_LEVEL,
      destination: { write: (line) => void logs.push(line) },
    });
    const metrics = createMetrics({ name: 'auth', processMetrics: false });
    const store = await createDatabase({ url: config.DATABASE_URL, name: 'auth', config, logger, metrics });
    const redisClient = openRedis(config.REDIS_URL, logger);
    await new Promise<void>((resolve) => {
      redisClient.once('ready', resolve);
      redisClient.once('error', () => resolve());
    });
    const bus = createBus({ url: config.NATS_URL, name: 'auth', logger, metrics });
    const identity = await identityOf(folder, 'auth');
    const rateLimiter = createRateLimiter({ redis: redisClient, logger, metrics });
    const health = createHealth();
    const app = await buildApp({
      config,
      database: store,
      redis: redisClient,
      bus,
      logger,
      metrics,
      identity,
      rateLimiter,
      health,
      now: () => Date.now() + clock.offsetMs,
    });
    await app.server.listen({ host: '127.0.0.1', port: 0 });
    await app.start();
    const address = app.server.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `https://127.0.0.1:${port}`;
    closers.push(async () => {
      await app.close();
      await bus.close();
      redisClient.disconnect();
      await store.close();
      identity.close();
    });
    return { app, url };
  }

  const clients = new Map<string, Auth>();
  async function clientOf(name: string, url: string): Promise<Auth> {
    const identity = await identityOf(folder, name);
    const client = createServiceClient(AuthService, { name: 'auth', url, identity });
    closers.push(async () => {
      await client.close();
      identity.close();
    });
    return client;
  }

  const main = await start();
  for (const name of ['gateway', 'admin', 'payments', 'profile']) clients.set(name, await clientOf(name, main.url));
  const client = (name: string): Auth => {
    const found = clients.get(name);
    if (found === undefined) throw new Error(`no client of ${name}`);
    return found;
  };

  return {
    app: main.app,
    auth: client('gateway'),
    as: client,
    by: callBy,
    sql,
    url: main.url,
    environment,
    identityOf: (name) => identityOf(folder, name),
    logs,
    clock,
    async events(action) {
      const rows =
        await sql`select payload from strongroom.outbox where kind = 'event' and payload is not null order by order_id`;
      const all = rows.map((row) => fromBinary(AuditEventSchema, row['payload'] as Buffer));
      return action === undefined ? all : all.filter((event) => event.action === action);
    },
    async notices(template) {
      const rows = await sql`select payload from strongroom.outbox where kind = 'notice' order by order_id`;
      return rows
        .map((row) => fromBinary(NoticeSchema, row['payload'] as Buffer))
        .map((notice) => ({ template: notice.template, ...openNotice(main.app.deps.noticeKey, notice) }))
        .filter((notice) => template === undefined || notice.template === template);
    },
    async spawn(failpoints, overrides = {}) {
      const child = await spawnProcess({
        name: 'auth',
        entry: 'services/auth/src/main.ts',
        env: { ...environment, PORT: '0', LOG_LEVEL: 'info', ...overrides },
        failpoints,
      });
      closers.push(() => child.kill());
      const { port } = await child.waitForLog(({ msg }) => msg === 'auth is up', startTimeoutMs);
      return { process: child, auth: await clientOf('gateway', `https://127.0.0.1:${port}`) };
    },
    async another(overrides) {
      const { app, url } = await start(overrides);
      return { app, auth: await clientOf('gateway', url) };
    },
    async close() {
      for (const close of closers.reverse()) await close();
      await sql.end({ timeout: 2 });
      await nats.close();
      await redis?.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function callBy(caller: Caller = {}) {
  const { token, provenKey, ip = '198.51.100.7', agent = 'test-agent/1', device = '', headers = {} } = caller;
  const options = forward({
    requestId: randomBytes(8).toString('hex'),
    traceId: randomBytes(16).toString('hex'),
    ipAddress: ip,
    userAgent: agent,
    deviceId: device,
    accessToken: token,
    provenKey,
  });
  return { ...options, headers: { ...(options.headers as Record<string, string>), ...headers }, timeoutMs: 60_000 };
}

async function identityOf(folder: string, name: string) {
  return loadServiceIdentity(tlsFilesOf(folder, name));
}

function tlsFilesOf(folder: string, name: string) {
  return {
    TLS_CA_FILE: join(folder, 'ca.pem'),
    TLS_CERT_FILE: join(folder, `${name}.pem`),
    TLS_KEY_FILE: join(folder, `${name}.key.pem`),
  };
}

/** A person who has just registered. */
export async function registerPerson(fixture: AuthFixture, caller: Caller = {}, email = uniqueEmail()) {
  const response = await fixture.auth.register({ email, password: goodPassword, name: 'Jo Doe' }, fixture.by(caller));
  if (response.user === undefined || response.tokens === undefined) throw new Error('not registered');
  return { id: response.user.id, email, user: response.user, tokens: response.tokens };
}

/** An administrator, made by the database's owner as the first start would. */
export async function makeAdmin(fixture: AuthFixture) {
  const person = await registerPerson(fixture);
  await fixture.sql`update users set role = 'ADMIN' where id = ${person.id}`;
  const { tokens } = await fixture.auth.login({ email: person.email, password: goodPassword }, fixture.by());
  if (tokens === undefined) throw new Error('not signed in');
  return { ...person, tokens };
}

/** Counts what reaches the hasher, which goes on as it is. */
export function countEvaluations(of: Pick<AuthFixture, 'app'>, onEnd: (undo: () => void) => void): () => number {
  const { hasher } = of.app.deps;
  const verify = hasher.verify;
  let count = 0;
  Object.assign(hasher, {
    verify: (...parts: Parameters<typeof verify>) => {
      count += 1;
      return verify(...parts);
    },
  });
  onEnd(() => Object.assign(hasher, { verify }));
  return () => count;
}
