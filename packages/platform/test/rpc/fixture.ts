import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import {
  type IdentityConfig,
  loadServiceIdentity,
  type ServiceIdentity,
  writeDevelopmentCertificates,
} from '@strongroom/platform/identity';
import { createHealth } from '@strongroom/platform/process';
import {
  type Call,
  createRpcServer,
  type RpcRoute,
  type RpcServerOptions,
  useCase,
  useStream,
} from '@strongroom/platform/rpc';
import { createTestTokens } from '@strongroom/testkit';
import { pino } from 'pino';

export interface LogEntry {
  readonly level: number;
  readonly msg?: string;
  readonly [name: string]: unknown;
}

/** A logger whose lines can be looked at. */
export function createMemoryLog() {
  const entries: LogEntry[] = [];
  const logger = pino(
    { level: 'debug' },
    {
      write(line: string) {
        entries.push(JSON.parse(line));
      },
    },
  );
  return { logger, entries };
}

/** The calls that the use cases below have seen, newest last. */
export interface Seen {
  readonly method: string;
  readonly request: unknown;
  readonly call: Call;
}

type Handler = (request: never, call: Call) => unknown;

/** Small implementations of generated services: they answer what they were told, so that protocols can be compared. */
export function createRoutes(handlers: Record<string, Handler> = {}) {
  const seen: Seen[] = [];
  const of = (name: string, answer: Handler = () => ({})) =>
    useCase(async (_deps: object, request: unknown, call: Call) => {
      seen.push({ method: name, request, call });
      return (await (handlers[name] ?? answer)(request as never, call)) as object;
    }, {});
  const routes: RpcRoute[] = [
    {
      service: AuthService,
      implementation: {
        login: of('login', (request: { email: string }) => ({ deviceToken: request.email })),
        register: of('register', (request: { name: string }) => ({ verification: request.name })),
        getMe: of('getMe', (_request, call) => ({ user: { id: call.principal?.userId } })),
        logout: of('logout'),
        changePassword: of('changePassword'),
        getSecretsStatus: of('getSecretsStatus'),
        findUserByEmail: of('findUserByEmail', (request: { email: string }) => ({ user: { email: request.email } })),
      },
    },
    {
      service: PaymentsService,
      implementation: {
        createPayment: of('createPayment', (request: { description: string }, call) => ({
          payment: { description: request.description, etag: call.idempotencyKey },
        })),
        listPayments: of('listPayments'),
        getReport: of('getReport'),
        addPaymentMethod: of('addPaymentMethod'),
        watchPayments: useStream(async function* (_deps: object, request: unknown, call: Call) {
          seen.push({ method: 'watchPayments', request, call });
          const answers = (handlers['watchPayments']?.(request as never, call) ?? [{}]) as Iterable<object>;
          yield* answers;
        }, {}),
      },
    },
    { service: ProfileService, implementation: { uploadAvatar: of('uploadAvatar') } },
  ] as unknown as RpcRoute[];
  return { routes, seen };
}

export type TestServerOptions = Partial<RpcServerOptions> & { readonly handlers?: Record<string, Handler> };

/** A real server on a free port of 127.0.0.1. */
export async function startServer(options: TestServerOptions = {}) {
  const { handlers, ...rest } = options;
  const tokens = createTestTokens();
  const log = createMemoryLog();
  const { routes, seen } = createRoutes(handlers);
  const health = createHealth();
  health.setStarted(true);
  const app = await createRpcServer({
    name: 'test',
    routes,
    logger: log.logger,
    health,
    authenticator: tokens.authenticator,
    ...rest,
    config: { RATE_LIMIT_SERVICE_MAX: 1_000_000, ...rest.config },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  return {
    app,
    url,
    secureUrl: `https://127.0.0.1:${port}`,
    port,
    tokens,
    log,
    seen,
    health,
    close: () => app.close(),
  };
}

export type TestServer = Awaited<ReturnType<typeof startServer>>;

/** Certificates of an authority of this test's own. */
export async function createTestIdentities(...names: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-tls-'));
  await writeDevelopmentCertificates(folder, names);
  const identities: ServiceIdentity[] = [];
  return {
    folder,
    async identity(name: string, extra: IdentityConfig = {}): Promise<ServiceIdentity> {
      const identity = await loadServiceIdentity({
        ...extra,
        TLS_CA_FILE: join(folder, 'ca.pem'),
        TLS_CERT_FILE: join(folder, `${name}.pem`),
        TLS_KEY_FILE: join(folder, `${name}.key.pem`),
      });
      identities.push(identity);
      return identity;
    },
    async close() {
      for (const identity of identities) identity.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const paths = {
  login: '/strongroom.auth.v1.AuthService/Login',
  register: '/strongroom.auth.v1.AuthService/Register',
  getMe: '/strongroom.auth.v1.AuthService/GetMe',
  createPayment: '/strongroom.payments.v1.PaymentsService/CreatePayment',
  uploadAvatar: '/strongroom.profile.v1.ProfileService/UploadAvatar',
} as const;
