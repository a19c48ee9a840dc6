// One server of the bench, as a process of its own: `node server.ts ours|stock`. Prints its port.

import type { ConnectRouter } from '@connectrpc/connect';
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { createRpcServer, useCase } from '@strongroom/platform/rpc';
import { createLogger } from '@strongroom/platform/telemetry';
import fastify, { type FastifyInstance } from 'fastify';

const answer = { verification: 'sent' };

async function createOurs(): Promise<FastifyInstance> {
  return await createRpcServer({
    name: 'auth',
    routes: [{ service: AuthService, implementation: { register: useCase(async () => answer, {}) } as never }],
    logger: createLogger({ name: 'bench', level: 'silent' }),
    config: { RATE_LIMIT_SERVICE_MAX: Number.MAX_SAFE_INTEGER, STRONGROOM_ENV: 'test' },
  });
}

async function createStock(): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(fastifyConnectPlugin, {
    routes: (router: ConnectRouter) => router.service(AuthService, { register: () => answer }),
  });
  return app;
}

const app = await (process.argv[2] === 'ours' ? createOurs() : createStock());
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
console.log(typeof address === 'object' ? address?.port : address);
