import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { Authenticator, ServiceIdentity } from '@strongroom/platform/identity';
import type { RateLimiter } from '@strongroom/platform/limits';
import type { Health } from '@strongroom/platform/process';
import { createRpcServer, type RpcServerConfig } from '@strongroom/platform/rpc';
import { createAuditSensitiveRead, createRefusalAudit } from '@strongroom/platform/service';
import type { FastifyInstance } from 'fastify';
import type { Watchers } from './audit/watchers.ts';
import type { Deps } from './deps.ts';
import { createRoutes } from './routes.ts';

export interface AppDeps extends Deps {
  readonly authenticator: Authenticator;
  readonly identity?: ServiceIdentity | undefined;
  readonly health: Health;
  readonly rateLimiter?: RateLimiter | undefined;
  readonly config: RpcServerConfig;
}

/** The server of the admin service, not yet listening. Its workers are started apart: see workers.ts. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { authenticator, identity, health, rateLimiter, config, database, flags, logger, metrics } = deps;
  const app = await createRpcServer({
    name: 'admin',
    routes: [{ service: AdminService, implementation: createRoutes(deps) }],
    logger,
    metrics,
    health,
    authenticator,
    flags,
    identity,
    rateLimiter,
    config,
    refusalAudit: createRefusalAudit({ database, logger }),
    auditSensitiveRead: createAuditSensitiveRead(database),
  });
  endWatchesOnClose(app, deps.watchers);
  return app;
}

/** A watch would keep the server from closing for as long as somebody looks on. */
function endWatchesOnClose(app: FastifyInstance, watchers: Watchers): void {
  app.addHook('preClose', async () => watchers.close());
}
