import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileRegistry, type DescService, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { loadConfig } from '@strongroom/platform/config';
import { loadServiceIdentity, type ServiceIdentity, writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { createRateLimiter } from '@strongroom/platform/limits';
import { createHealth, type Health } from '@strongroom/platform/process';
import { type Call, createRpcServer, type RpcRoute, useCase, useStream } from '@strongroom/platform/rpc';
import { createLogger, createMetrics, type Metrics } from '@strongroom/platform/telemetry';
import { createTestRedis, createTestTokens, type TestTokens } from '@strongroom/testkit';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { buildApp } from '../src/app.ts';
import { createServiceTarget, type ServiceTarget } from '../src/clients.ts';
import { gatewayVariables } from '../src/config.ts';
import { createProofLedger } from '../src/edge/proof-ledger.ts';
import { createEdgeRedis } from '../src/redis.ts';

export const root = join(import.meta.dirname, '..', '..');
const contract = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, 'gen', 'descriptors.binpb')));
export const descriptors = createFileRegistry(contract);

type Implementation<Service extends DescService> = Partial<ServiceImpl<Service>>;

/** Use cases of the upstream services, by service; what is left out answers NOT_YET_BUILT. */
export interface Upstreams {
  readonly auth?: Implementation<typeof AuthService>;
  readonly payments?: Implementation<typeof PaymentsService>;
  readonly profile?: Implementation<typeof ProfileService>;
  readonly admin?: Implementation<typeof AdminService>;
}

export interface Upstream {
  readonly name: string;
  readonly service: DescService;
  url: string;
  close(): Promise<void>;
}

/** Certificates, tokens and services, shared by the gateways of one test file. */
export interface Mesh {
  readonly tokens: TestTokens;
  readonly upstreams: readonly Upstream[];
  readonly identity: ServiceIdentity;
  /** Where the certificates are. */
  readonly folder: string;
  /** Lines of the services' and gateways' logs. */
  readonly log: string[];
  close(): Promise<void>;
}

const services = {
  auth: AuthService,
  payments: PaymentsService,
  profile: ProfileService,
  admin: AdminService,
} as const;
const keySet = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: 'public', alg: 'EdDSA', use: 'sig' }] };

/** Real services on real ports over mTLS, with the platform's server and the use cases given. */
export async function startMesh(implementations: Upstreams): Promise<Mesh> {
  const folder = mkdtempSync(join(process.env['STRONGROOM_TEST_TMP'] ?? tmpdir(), 'gateway-tls-'));
  const names = Object.keys(services) as (keyof typeof services)[];
  await writeDevelopmentCertificates(folder, ['gateway', ...names]);
  const tokens = createTestTokens();
  const log: string[] = [];
  const logger = createLogger({ name: 'test', level: 'info', destination: { write: (line) => void log.push(line) } });
  const identityOf = (name: string) =>
    loadServiceIdentity({
      TLS_CA_FILE: join(folder, 'ca.pem'),
      TLS_CERT_FILE: join(folder, `${name}.pem`),
      TLS_KEY_FILE: join(folder, `${name}.key.pem`),
    });
  const upstreams: Upstream[] = [];
  for (const name of names) {
    const route = { service: services[name], implementation: implementations[name] ?? {} } as unknown as RpcRoute;
    const identity = await identityOf(name);
    const { authenticator } = tokens;
    const app = await createRpcServer({
      name,
      routes: [route],
      logger,
      authenticator,
      identity,
      health: startedHealth(),
      config: { RATE_LIMIT_SERVICE_MAX: 1_000_000, DIRECT_ACCESS: 'loopback' },
    });
    if (name === 'auth') app.get('/.well-known/jwks.json', async () => keySet);
    const url = await listen(app);
    upstreams.push({
      name,
      service: services[name],
      url: url.replace('http:', 'https:'),
      async close() {
        identity.close();
        await app.close();
      },
    });
  }
  const identity = await identityOf('gateway');
  return {
    tokens,
    upstreams,
    identity,
    folder,
    log,
    async close() {
      identity.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startedHealth(): Health {
  const health = createHealth();
  health.setStarted(true);
  return health;
}

async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly metrics: Metrics;
  readonly redis: Redis;
  readonly health: Health;
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly redisUrl?: string;
  /** Variables in place of the tests' own. */
  readonly variables?: Record<string, string>;
  /** Other services than the mesh's, for contracts of a test's own. */
  readonly targets?: (defaults: readonly ServiceTarget[]) => readonly ServiceTarget[];
  /** The contract of those. */
  readonly descriptors?: FileRegistry;
  /** Other addresses for services, by name: a fault proxy's. */
  readonly urls?: Record<string, string>;
}

/** Limits that a test doesn't run into by chance; tests of limits set their own. */
const generousLimits = {
  RATE_LIMIT_GENERAL_MAX: '1000000',
  RATE_LIMIT_AUTH_MAX: '1000000',
  RATE_LIMIT_AUTH_ADDRESS_MAX: '1000000',
  RATE_LIMIT_REFRESH_MAX: '1000000',
};

let sharedRedis: Promise<Awaited<ReturnType<typeof createTestRedis>>> | undefined;

/** One Redis database for all gateways of a test file. */
export async function testRedisUrl(): Promise<string> {
  sharedRedis ??= createTestRedis();
  return (await sharedRedis).url;
}

export async function closeTestRedis(): Promise<void> {
  const redis = await sharedRedis;
  sharedRedis = undefined;
  await redis?.close();
}

/** A gateway on a port of its own, in front of the mesh. */
export async function startGateway(mesh: Mesh, options: GatewayOptions = {}): Promise<Gateway> {
  const config = await loadConfig(gatewayVariables, {
    STRONGROOM_ENV: 'test',
    CONSOLE_FOLDER: join(root, 'nowhere'),
    ...generousLimits,
    ...options.variables,
  });
  const logger = createLogger({
    name: 'gateway',
    level: 'info',
    destination: { write: (line) => void mesh.log.push(line) },
  });
  const metrics = createMetrics({ name: 'gateway', processMetrics: false });
  const redis = createEdgeRedis(options.redisUrl ?? (await testRedisUrl()), logger);
  if (redis.status !== 'ready') await new Promise<void>((resolve) => void redis.once('ready', () => resolve()));
  const health = startedHealth();
  const defaults = mesh.upstreams.map(({ name, service, url }) =>
    createServiceTarget({
      name,
      service,
      url: options.urls?.[name] ?? url,
      streamsMax: config.EDGE_STREAMS_MAX,
      identity: mesh.identity,
      logger,
      metrics,
    }),
  );
  const app = await buildApp({
    config,
    targets: options.targets?.(defaults) ?? defaults,
    descriptors: options.descriptors ?? descriptors,
    authenticator: mesh.tokens.authenticator,
    limiter: createRateLimiter({ redis, logger, metrics }),
    proofs: createProofLedger(redis, logger),
    health,
    logger,
    metrics,
  });
  const url = await listen(app);
  return {
    url,
    port: Number(new URL(url).port),
    app,
    metrics,
    redis,
    health,
    async close() {
      await app.close();
      await Promise.all(defaults.map((target) => target.close()));
      redis.disconnect();
    },
  };
}

/** A use case without dependencies, as the implementation of a method. */
export function handler<Request, Response>(
  run: (request: Request, call: Call) => Promise<Response> | Response,
): (request: Request, context: HandlerContext) => Promise<Response> {
  return useCase(async (_deps: undefined, request: Request, call: Call) => run(request, call), undefined);
}

export function streamHandler<Request, Response>(
  run: (request: Request, call: Call) => AsyncIterable<Response>,
): (request: Request, context: HandlerContext) => AsyncIterable<Response> {
  return useStream((_deps: undefined, request: Request, call: Call) => run(request, call), undefined);
}

export const paymentId = '01890000-0000-7000-8000-000000000001';
export const paymentBody = {
  type: 'PAYMENT_TYPE_INSTANT',
  amount: { currencyCode: 'EUR', minorUnits: '1250' },
  recipientEmail: 'bob@example.com',
  description: 'Dinner',
};

export function newKey(): string {
  return randomUUID();
}
