import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import type { Flags } from '@strongroom/platform/flags';
import type { Authenticator, ServiceIdentity } from '@strongroom/platform/identity';
import type { RateLimiter } from '@strongroom/platform/limits';
import type { Health } from '@strongroom/platform/process';
import type { ConcurrencyLimit } from '@strongroom/platform/resilience';
import { createRpcServer } from '@strongroom/platform/rpc';
import { createAuditSensitiveRead, createRefusalAudit } from '@strongroom/platform/service';
import type { FastifyInstance } from 'fastify';
import type { Deps } from './deps.ts';
import { createRoutes } from './routes.ts';

export interface AppDeps extends Deps {
  readonly health: Health;
  readonly authenticator: Authenticator;
  readonly flags?: Flags | undefined;
  readonly identity: ServiceIdentity | undefined;
  readonly rateLimiter: RateLimiter | undefined;
  /** Left out: found out by itself. */
  readonly concurrencyLimit?: ConcurrencyLimit;
}

export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { authenticator, concurrencyLimit, config, database, flags, health, identity, logger, metrics, rateLimiter } =
    deps;
  return createRpcServer({
    name: 'payments',
    routes: [{ service: PaymentsService, implementation: createRoutes(deps) }],
    logger,
    metrics,
    health,
    authenticator,
    flags,
    identity,
    rateLimiter,
    concurrencyLimit,
    config,
    refusalAudit: createRefusalAudit({ database, logger }),
    auditSensitiveRead: createAuditSensitiveRead(database),
  });
}
