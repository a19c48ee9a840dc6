import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { MessagePort } from './message-port.ts';

const timeoutMs = 10_000;
const connectionsMax = 4;

export interface WebhookPortOptions {
  readonly url: string;
  /** `whsec_` and base64, as Standard Webhooks has it. */
  readonly secret: string;
}

/** Hands messages to an endpoint of the operator's, signed by the Standard Webhooks scheme. */
export function createWebhookPort({ url, secret }: WebhookPortOptions): MessagePort {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  // A redirect is not followed: the provider's address is configured, and no answer may change it (ASVS 15.3.2).
  const dispatcher = new Agent({ connections: connectionsMax, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  return {
    name: 'webhook',
    async send({ id, to, subject, text }) {
      const body = JSON.stringify({ to, subject, text });
      const timestamp = Math.floor(Date.now() / 1000).toString();
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
      const response = await request(url, {
        dispatcher,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        },
        body,
      });
      await response.body.dump();
      if (response.statusCode >= 300) throw new Error(`the message webhook answered ${response.statusCode}`);
    },
    close: () => dispatcher.close(),
  };
}
