import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectError } from '@connectrpc/connect';

const headerNames = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'stripe-signature'];

export interface WebhookBridge {
  readonly url: string;
  close(): Promise<void>;
}

export type WebhookReceiver = (body: Uint8Array, headers: Record<string, string>) => Promise<unknown>;

/** What the gateway does for POST /api/v1/webhooks/psp: the raw body as HttpBody, the headers handed on. */
export async function startWebhookBridge(receive: WebhookReceiver): Promise<WebhookBridge> {
  const server = createServer((request, response) => {
    const answer = (status: number) => response.writeHead(status).end();
    readBody(request)
      .then((body) => receive(body, headersOf(request)))
      .then(
        () => answer(200),
        (error: unknown) => answer(error instanceof ConnectError ? 400 : 503),
      );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/webhooks/psp`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    headerNames.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
