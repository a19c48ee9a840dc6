import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import type { Bus } from '@strongroom/platform/bus';
import type { Flags } from '@strongroom/platform/flags';
import type { Authenticator, ServiceIdentity } from '@strongroom/platform/identity';
import type { RateLimiter } from '@strongroom/platform/limits';
import type { Health } from '@strongroom/platform/process';
import { createRpcServer, type RpcServerConfig } from '@strongroom/platform/rpc';
import { createAuditSensitiveRead, createRefusalAudit } from '@strongroom/platform/service';
import type { Metrics } from '@strongroom/platform/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Deps } from './deps.ts';
import { createRoutes } from './routes.ts';

export interface AppDeps extends Deps {
  readonly bus?: Pick<Bus, 'publish'> | undefined;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly authenticator: Authenticator;
  readonly flags?: Flags | undefined;
  readonly identity: ServiceIdentity | undefined;
  readonly rateLimiter: RateLimiter;
  readonly config: RpcServerConfig;
}

export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { database, bus, logger, metrics, health, authenticator, identity, rateLimiter, config, flags } = deps;
  return await createRpcServer({
    name: 'profile',
    routes: [{ service: ProfileService, implementation: createRoutes(deps) }],
    logger,
    metrics,
    health,
    authenticator,
    flags,
    identity,
    rateLimiter,
    config,
    refusalAudit: createRefusalAudit({ database, logger }),
    auditSensitiveRead: createAuditSensitiveRead(database, bus),
  });
}
