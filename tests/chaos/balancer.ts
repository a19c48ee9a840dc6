import { createConnection, createServer, type Socket } from 'node:net';
import { freePort } from '../../scripts/support/ports.ts';

/** One address for several replicas, as a cluster's own: each connection goes to the next one that takes it. */
export interface Balancer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startBalancer(targets: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const forward = (client: Socket, triesLeft: number): void => {
    turn += 1;
    const upstream = track(createConnection({ host: '127.0.0.1', port: targets[turn % targets.length] ?? 0 }));
    const onRefused = () => {
      if (triesLeft > 1) forward(client, triesLeft - 1);
      else client.destroy();
    };
    upstream.once('error', onRefused);
    upstream.once('connect', () => {
      upstream.off('error', onRefused);
      upstream.on('close', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
  };
  const server = createServer((client) => forward(track(client), targets.length));
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
