// A merchant's server, which takes every webhook.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A bound, not a promise: the machine may be busy with other tests. */
const waitMs = 60_000;

export interface Receiver {
  readonly url: string;
  /** The next message that comes; rejects when none does. */
  next(): Promise<{ readonly id: string }>;
}

export async function startReceiver(teardown: (close: () => Promise<void>) => void): Promise<Receiver> {
  const waiting: ((message: { id: string }) => void)[] = [];
  const server = createServer((request, response) => {
    response.writeHead(204).end();
    const id = String(request.headers['webhook-id']);
    for (const resolve of waiting.splice(0)) resolve({ id });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  teardown(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push(resolve);
        AbortSignal.timeout(waitMs).addEventListener('abort', () => reject(new Error('no webhook came')));
      }),
  };
}
