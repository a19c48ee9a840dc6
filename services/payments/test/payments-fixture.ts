import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Client, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { loadConfig } from '@strongroom/platform/config';
import { createFieldCipher, keyringFromConfig } from '@strongroom/platform/crypto';
import { createDatabase } from '@strongroom/platform/database';
import { createRateLimiter } from '@strongroom/platform/limits';
import { createHealth } from '@strongroom/platform/process';
import { createConcurrencyLimit, createStaleReads, type ReadCache } from '@strongroom/platform/resilience';
import { createServiceClient } from '@strongroom/platform/rpc';
import { openRedis } from '@strongroom/platform/service';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { createSandbox } from '@strongroom/psp-sandbox';
import { createTestDatabase, createTestTokens, openSql, until } from '@strongroom/testkit';
import type { Test } from 'tap';
import { buildApp } from '../src/app.ts';
import { paymentsVariables } from '../src/config.ts';
import { createKeysInFlight } from '../src/idempotency/keys-in-flight.ts';
import { writeNewPayments } from '../src/payment/new-payment-store.ts';
import { createFeedHorizon } from '../src/payment/payment-feed-store.ts';
import { createPsp } from '../src/psp/create-psp.ts';
import { writeProgress } from '../src/psp/progress-store.ts';
import { writeSettlements } from '../src/psp/settlement-store.ts';
import { createWebhookTargets } from '../src/webhook-endpoint/webhook-target.ts';
import { createBatchWriter } from '../src/work/batch-writer.ts';
import { createSignals } from '../src/work/signals.ts';
import { createWorkers } from '../src/workers.ts';
import { startAdminUpstream } from './admin-upstream.ts';
import { type Person, startAuthUpstream } from './auth-upstream.ts';
import { createTestCertificates } from './certificates.ts';
import { startWebhookBridge } from './webhook-bridge.ts';

export const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;

const callsMax = 5_000;

/** Fast enough for tests; the proportions are those of production. */
const testVariables = {
  STRONGROOM_ENV: 'test',
  PSP_TIMEOUT_MS: '400',
  PSP_LEASE_MS: '1500',
  PSP_RECONCILE_MS: '150',
  IDEMPOTENCY_LEASE_MS: '1500',
  SCHEDULER_INTERVAL_MS: '50',
  WATCH_POLL_MS: '50',
  RATE_LIMIT_SERVICE_MAX: '1000000',
  WEBHOOK_RETRY_FIRST_MS: '50',
  WEBHOOK_TIMEOUT_MS: '500',
  WEBHOOK_ALLOW_INSECURE_TARGETS: 'true',
};

export interface FixtureOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Workers run unless a test wants to see what is there before them. */
  readonly workers?: boolean;
  /** Instances of the service on the same database. */
  readonly instances?: number;
  readonly now?: () => number;
  readonly redisUrl?: string;
}

export type PaymentsFixture = Awaited<ReturnType<typeof startPayments>>;

/** The engines, the provider and auth around the service, without the service itself. */
export async function startSurroundings(t: Test, options: FixtureOptions = {}) {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  t.teardown(async () => {
    for (const close of closers.reverse()) await close();
  });
  const testDatabase = await createTestDatabase('payments');
  closers.push(() => testDatabase.drop());
  const superuser = openSql(testDatabase.superuserUrl);
  closers.push(() => superuser.end());
  const certificates = await createTestCertificates(['auth', 'payments', 'gateway', 'profile', 'admin']);
  closers.push(() => certificates.close());
  const tokens = createTestTokens();
  const auth = await startAuthUpstream(await certificates.identity('auth'), tokens);
  closers.push(() => auth.close());
  const log = await startAdminUpstream(await certificates.identity('admin'));
  closers.push(() => log.close());
  const receiver: { client: Client<typeof PaymentsService> | undefined } = { client: undefined };
  const bridge = await startWebhookBridge(async (body, headers) => {
    if (receiver.client === undefined) throw new Error('No instance takes webhooks.');
    await receiver.client.receivePspWebhook({ payload: { contentType: 'application/json', data: body } }, { headers });
  });
  closers.push(() => bridge.close());
  const sandbox = await createSandbox({
    port: 0,
    webhook: { url: bridge.url, secret: webhookSecret },
    webhookDelayMs: 10,
    slowMs: 600,
    timeoutMs: 5_000,
  });
  closers.push(() => sandbox.close());
  const variables: Record<string, string> = {
    ...testVariables,
    ...certificates.variables('payments'),
    DATABASE_URL: testDatabase.runtimeUrl,
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
    PSP_URL: sandbox.url,
    PSP_WEBHOOK_SECRET: webhookSecret,
    AUTH_URL: auth.url,
    ADMIN_URL: log.url,
    TOKEN_ISSUER: tokens.issuer,
    TOKEN_AUDIENCE: tokens.audience,
    ...options.variables,
  };
  return { closers, testDatabase, superuser, certificates, tokens, auth, log, receiver, sandbox, variables };
}

/** The service in this process, on a database of its own, with real neighbours. */
export async function startPayments(t: Test, options: FixtureOptions = {}) {
  const around = await startSurroundings(t, options);
  const instances: PaymentsInstance[] = [];
  for (let index = 0; index < (options.instances ?? 1); index += 1) {
    const instance = await startInstance(around, options);
    around.closers.push(() => instance.close());
    instances.push(instance);
  }
  const [first] = instances;
  if (first === undefined) throw new Error('A fixture has one instance at least.');
  around.receiver.client = first.connect;
  const as = (person: Pick<Person, 'id' | 'role'>, key?: string) => callOptions(around.tokens.token, person, key);
  return {
    ...around,
    ...first,
    instances,
    as,
    /** As another service calls. */
    async asService(name: 'profile') {
      const identity = await around.certificates.identity(name);
      const url = first.baseUrl.replace('http:', 'https:');
      const client = createServiceClient(PaymentsService, { name: 'payments', url, identity });
      around.closers.push(() => client.close());
      return client;
    },
    /** Two people who can pay each other. */
    async pair() {
      return { sender: around.auth.addPerson(), recipient: around.auth.addPerson() };
    },
    /** A payment that the provider has completed. */
    async completedPayment(sender: Person, recipient: Person, minorUnits = 1_050n) {
      const request = instantPayment(recipient, minorUnits);
      const { payment } = await first.connect.createPayment(request, as(sender, randomUUID()));
      return waitForStatus(first.connect, as(sender), payment?.id ?? '', 'completed');
    },
  };
}

type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;
export type PaymentsInstance = Awaited<ReturnType<typeof startInstance>>;

export async function startInstance(around: Surroundings, options: FixtureOptions) {
  const config = await loadConfig(paymentsVariables, around.variables);
  const logger = createLogger({ name: 'payments', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const metrics = createMetrics({ name: 'payments', processMetrics: false });
  const identity = await around.certificates.identity('payments');
  const database = await createDatabase({ url: config.DATABASE_URL, name: 'payments', config, logger, metrics });
  const auth = createServiceClient(AuthService, { name: 'auth', url: config.AUTH_URL, identity, logger, metrics });
  const admin = createServiceClient(AdminService, { name: 'admin', url: config.ADMIN_URL, identity, logger, metrics });
  const psp = createPsp({ config, logger, metrics });
  const keyring = keyringFromConfig(config);
  const redis = options.redisUrl === undefined ? noCache : openRedis(options.redisUrl, logger);
  const webhookTargets = createWebhookTargets({
    timeoutMs: config.WEBHOOK_TIMEOUT_MS,
    allowInsecure: config.WEBHOOK_ALLOW_INSECURE_TARGETS,
  });
  const deps = {
    config,
    logger,
    metrics,
    identity,
    database,
    auth,
    admin,
    psp,
    writeNewPayment: createBatchWriter(database, writeNewPayments, config.DB_QUERY_TIMEOUT_MS),
    writeProgress: createBatchWriter(database, writeProgress, config.DB_QUERY_TIMEOUT_MS),
    writeSettlement: createBatchWriter(database, writeSettlements, config.DB_QUERY_TIMEOUT_MS),
    keyring,
    cipher: createFieldCipher(keyring),
    signals: createSignals(),
    now: options.now ?? Date.now,
    health: createHealth(),
    authenticator: around.tokens.authenticator,
    webhookTargets,
    streams: { byUser: new Map<string, number>(), total: 0 },
    feedHorizon: createFeedHorizon(database),
    keysInFlight: createKeysInFlight(),
    staleReads: createStaleReads({
      name: 'payments',
      cache: redis,
      keyring,
      ttlS: config.STALE_READ_TTL_S,
      logger,
      metrics,
    }),
    rateLimiter: createRateLimiter(),
    // Load is shed by a measure of time, which a busy machine changes; the platform's tests look at it.
    concurrencyLimit: createConcurrencyLimit({ name: 'payments', initial: callsMax, min: callsMax, max: callsMax }),
  };
  const app = await buildApp(deps);
  const workers = createWorkers(deps);
  if (options.workers !== false) workers.start();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const baseUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    ...clientsOf(baseUrl),
    baseUrl,
    deps,
    config,
    database,
    metrics,
    workers,
    async close() {
      await app.close();
      await workers.stop();
      await auth.close();
      await admin.close();
      await psp.close();
      await database.close();
      await webhookTargets.close();
      if (redis !== noCache) (redis as ReturnType<typeof openRedis>).disconnect();
    },
  };
}

/** For tests that don't look at outages: nothing is kept. */
const noCache: ReadCache = { hgetBuffer: async () => null, eval: async () => 0 };

/** One service, three protocols. */
export function clientsOf(baseUrl: string) {
  return {
    connect: createClient(PaymentsService, createConnectTransport({ baseUrl, httpVersion: '1.1' })),
    connectBinary: createClient(
      PaymentsService,
      createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: true }),
    ),
    grpc: createClient(PaymentsService, createGrpcTransport({ baseUrl })),
  };
}

export function callOptions(
  token: (wanted: { userId: string; role: 'CUSTOMER' | 'VENDOR' | 'ADMIN' }) => string,
  person: Pick<Person, 'id' | 'role'>,
  key?: string,
) {
  const role = person.role === 'VENDOR' || person.role === 'ADMIN' ? person.role : 'CUSTOMER';
  const headers: Record<string, string> = { authorization: `Bearer ${token({ userId: person.id, role })}` };
  if (key !== undefined) headers['idempotency-key'] = key;
  return { headers };
}

export function instantPayment(recipient: Pick<Person, 'id'>, minorUnits = 1_050n, currencyCode = 'EUR') {
  return {
    type: PaymentType.INSTANT,
    amount: { currencyCode, minorUnits },
    recipientId: recipient.id,
    description: 'Rent, November',
  };
}

/** Minutes of a starved machine are no failure of what is tested. */
const statusTimeoutMs = 60_000;

const statusNumbers = {
  pending: 1,
  processing: 2,
  completed: 3,
  failed: 4,
  cancelled: 5,
  partially_refunded: 6,
  refunded: 7,
} as const;

export async function waitForStatus(
  client: Client<typeof PaymentsService>,
  call: ReturnType<typeof callOptions>,
  id: string,
  status: keyof typeof statusNumbers,
) {
  return until(
    async () => {
      const { payment } = await client.getPayment({ id }, call);
      return payment?.status === statusNumbers[status] ? payment : undefined;
    },
    { what: `payment ${id} being ${status}`, timeoutMs: statusTimeoutMs },
  );
}
