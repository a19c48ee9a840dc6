import type { DescMethod, DescMethodUnary, DescService } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { LimitClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import fastify, { type FastifyInstance } from 'fastify';
import { commonErrors } from '../errors/index.ts';
import type { Flags } from '../flags/index.ts';
import type { Authenticator, ServiceIdentity } from '../identity/index.ts';
import { createRateLimiter, type RateLimiter } from '../limits/index.ts';
import type { Health } from '../process/index.ts';
import { type ConcurrencyLimit, createConcurrencyLimit } from '../resilience/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { registerHealthRoutes } from './health-routes.ts';
import { registerInfrastructureServices } from './infrastructure-routes.ts';
import { createValidationInterceptor } from './interceptors/validation.ts';
import { createOnePortServer } from './one-port.ts';
import { type AuditSensitiveRead, MethodPipeline, type RefusalAudit } from './pipeline.ts';
import { methodPolicy } from './policy.ts';
import { registerRefusals, URL_MAX_CHARACTERS } from './refusals.ts';
import { unaryConstraintStrategy } from './route-constraint.ts';
import { registerSecurityHeaders, securityHeaderList } from './security-headers.ts';
import { registerStockRoutes } from './stock-routes.ts';
import type { HeaderList } from './unary-answer.ts';
import { registerUnaryRoute } from './unary-routes.ts';

/** A service of the contract and its use cases. A method that is left out answers NOT_YET_BUILT. */
export interface RpcRoute<Service extends DescService = DescService> {
  readonly service: Service;
  readonly implementation: Partial<ServiceImpl<Service>>;
}

export interface RpcServerConfig {
  readonly DIRECT_ACCESS?: 'loopback' | 'off' | undefined;
  readonly STRONGROOM_ENV?: 'development' | 'test' | 'production' | undefined;
  readonly RATE_LIMIT_SERVICE_MAX?: number | undefined;
  readonly RATE_LIMIT_WINDOW_S?: number | undefined;
}

export interface RpcServerOptions {
  readonly name: string;
  readonly routes: readonly RpcRoute[];
  readonly logger: Logger;
  readonly health?: Health | undefined;
  readonly metrics?: Metrics | undefined;
  readonly authenticator?: Authenticator | undefined;
  /** Without it the port takes calls in clear alone, and no internal method can be called. */
  readonly identity?: ServiceIdentity | undefined;
  /** Which methods an administrator has switched off; left out, none. */
  readonly flags?: Flags | undefined;
  readonly refusalAudit?: RefusalAudit | undefined;
  readonly auditSensitiveRead?: AuditSensitiveRead | undefined;
  /** Shared limits; left out, the process counts for itself. */
  readonly rateLimiter?: RateLimiter | undefined;
  readonly concurrencyLimit?: ConcurrencyLimit | undefined;
  readonly config?: RpcServerConfig | undefined;
}

const RATE_LIMIT_SERVICE_MAX = 100; // S1.1b
const RATE_LIMIT_WINDOW_S = 900;
const MILLISECONDS_PER_SECOND = 1_000;
const BODY_LIMIT_BYTES = 65_536; // of routes that are no RPC

/** The server of one service: all protocols on one port, every method behind the contract's policy. Not yet listening. */
export async function createRpcServer(options: RpcServerOptions): Promise<FastifyInstance> {
  const { identity, config = {}, health } = options;
  const app = fastify({
    serverFactory: (listener) =>
      createOnePortServer({
        listener,
        identity,
        allowCleartext: allowsCleartext(config, identity),
        onTlsFailure(failure) {
          options.metrics?.increment('tls_handshake_failures_total');
          options.logger.warn(failure, 'a TLS handshake failed');
        },
      }),
    logger: false, // one line a call is written by the pipeline
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: {
      maxParamLength: URL_MAX_CHARACTERS,
      constraints: { [unaryConstraintStrategy.name]: unaryConstraintStrategy },
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  acceptAnyContentType(app);
  await registerSecurityHeaders(app);
  if (health !== undefined) registerHealthRoutes(app, health);
  await registerInfrastructureServices(
    app,
    options.routes.map(({ service }) => service.typeName),
    health,
  );
  registerRpcs(app, options, await securityHeaderList());
  registerRefusals(app, options.logger);
  app.addHook('onClose', async () => options.refusalAudit?.close());
  return app;
}

function registerRpcs(app: FastifyInstance, options: RpcServerOptions, baseHeaders: HeaderList): void {
  const { name, config = {}, logger, metrics } = options;
  const validation = createValidationInterceptor();
  const shared = {
    ...options,
    limiter: options.rateLimiter ?? createRateLimiter({ logger, metrics }),
    limitRule: {
      max: config.RATE_LIMIT_SERVICE_MAX ?? RATE_LIMIT_SERVICE_MAX,
      windowMs: (config.RATE_LIMIT_WINDOW_S ?? RATE_LIMIT_WINDOW_S) * MILLISECONDS_PER_SECOND,
    },
    validation,
  };
  const concurrency = options.concurrencyLimit ?? createConcurrencyLimit({ name, metrics });
  // A bulkhead: what waits for the hash of a password takes a hundred times a read, and would fill every place there is.
  let hashing: ConcurrencyLimit | undefined;
  const concurrencyOf = (method: DescMethod) => {
    if (methodPolicy(method).limit !== LimitClass.AUTH) return concurrency;
    hashing ??= createConcurrencyLimit({ name: `${name}-passwords`, metrics });
    return hashing;
  };
  const methods = options.routes.flatMap(({ service, implementation }) =>
    service.methods.map((method) => ({
      pipeline: new MethodPipeline(method, { ...shared, concurrency: concurrencyOf(method) }),
      method,
      implementation: implementation[method.localName] ?? notYetBuilt(method.methodKind),
    })),
  );
  for (const { pipeline, method, implementation } of methods) {
    if (isUnary(method)) registerUnaryRoute(app, { pipeline, method, implementation }, baseHeaders);
  }
  registerStockRoutes(app, methods);
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function notYetBuilt(kind: string) {
  if (kind !== 'unary') {
    // biome-ignore lint/correctness/useYield: it never gets to answer anything
    return async function* () {
      throw commonErrors.NOT_YET_BUILT();
    };
  }
  return async () => {
    throw commonErrors.NOT_YET_BUILT();
  };
}

function allowsCleartext(config: RpcServerConfig, identity: ServiceIdentity | undefined): boolean {
  if (config.DIRECT_ACCESS !== undefined) return config.DIRECT_ACCESS === 'loopback';
  if (config.STRONGROOM_ENV === 'production') return false;
  return config.STRONGROOM_ENV !== undefined || identity === undefined;
}

/** Bodies are read by the routes themselves, which know the limit of each method. */
function acceptAnyContentType(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
}
