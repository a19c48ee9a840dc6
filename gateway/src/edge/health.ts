import type { Health } from '@strongroom/platform/process';
import type { FastifyInstance } from 'fastify';

/** /livez, /readyz and /healthz (S5.3). Never limited (S1.1c), and they tell no address. */
export function registerHealthPages(app: FastifyInstance, health: Health): void {
  app.get('/livez', async (_request, reply) => {
    const isLive = health.live();
    return reply.code(isLive ? 200 : 503).send({ status: isLive ? 'ok' : 'failing' });
  });
  app.get('/readyz', async (_request, reply) => {
    const isReady = await health.ready();
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'failing' });
  });
  app.get('/healthz', async (_request, reply) => {
    const report = await health.report();
    return reply.code(report.status === 'failing' ? 503 : 200).send(report);
  });
}
