import type { ConnectRouter } from '@connectrpc/connect';
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify';
import { Health as HealthService } from '@strongroom/gen/grpc/health/v1/health_pb.ts';
import type { FastifyInstance } from 'fastify';
import type { Health } from '../process/index.ts';
import { createHealthService } from './health-service.ts';
import { createReflection } from './reflection.ts';

const READ_MAX_BYTES = 65_536;
const STREAM_MAX_MS = 3_600_000;
const SHUTDOWN_TIMEOUT_MS = 200;

/** Services that are no part of the contract and carry no policy: reflection and health. They touch nobody's data. */
export async function registerInfrastructureServices(
  app: FastifyInstance,
  serviceNames: readonly string[],
  health: Health | undefined,
): Promise<void> {
  const healthService = health && createHealthService(health, serviceNames);
  const reflection = await createReflection([
    ...serviceNames,
    ...(health === undefined ? [] : [HealthService.typeName]),
  ]);
  await app.register(fastifyConnectPlugin, {
    readMaxBytes: READ_MAX_BYTES,
    maxTimeoutMs: STREAM_MAX_MS,
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
    routes(router: ConnectRouter) {
      reflection(router);
      healthService?.(router);
    },
  });
}
