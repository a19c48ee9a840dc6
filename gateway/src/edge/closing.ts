import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests in progress get this long to end; their deadlines are shorter, but for reports and uploads. */
const DRAIN_TIMEOUT_MS = 8_000;

/**
 * Lets the listener close. Node counts a connection that has never sent a request as active, and stops looking for overdue
 * ones once it closes: a browser's spare connection would hold the process up for ever.
 */
export function registerClosing(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage) => silent.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
    const timer = setTimeout(() => app.server.closeAllConnections(), DRAIN_TIMEOUT_MS);
    app.server.once('close', () => clearTimeout(timer));
  });
}
