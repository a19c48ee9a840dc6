import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly id: string;
  readonly body: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Record<string, unknown>;
}

/** A merchant's end: verifies each webhook with the library and can refuse the first few. */
export async function createReceiver(secret: string): Promise<{
  url: string;
  received: Received[];
  refuse(times: number): void;
  attempts(): number;
  close(): Promise<void>;
}> {
  const received: Received[] = [];
  let refusals = 0;
  let attempts = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      attempts += 1;
      if (refusals > 0) {
        refusals -= 1;
        response.writeHead(503).end();
        return;
      }
      new Webhook(secret).verify(body, request.headers as Record<string, string>);
      received.push({ id: String(request.headers['webhook-id']), body, ...JSON.parse(body) });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    refuse(times) {
      refusals = times;
    },
    attempts: () => attempts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
