import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import { buildApp } from './app.ts';
import type { JournalEntry } from './model.ts';
import { createProvider } from './provider.ts';
import type { ControlRequest } from './requests.ts';
import { openStore } from './store.ts';
import { createWebhookSender, type WebhookTarget } from './webhooks.ts';

const defaultWebhookDelayMs = 50;
const defaultSlowMs = 3_000;
const defaultTimeoutMs = 60_000;

export interface SandboxOptions {
  /** 0 takes a free one. */
  port: number;
  host?: string;
  /** File of the journal; without it everything is in memory. */
  dataFile?: string;
  apiKey?: string;
  webhook?: WebhookTarget;
  webhookDelayMs?: number;
  slowMs?: number;
  timeoutMs?: number;
  logger?: Logger;
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  control(request: ControlRequest): void;
  journal(reference?: string): JournalEntry[];
  close(): Promise<void>;
}

/** The whole pretend provider, listening. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const logger = options.logger ?? pino({ level: 'silent' });
  const store = openStore(options.dataFile);
  const sender = createWebhookSender(options.webhook, store, logger);
  const provider = createProvider({
    store,
    sender,
    logger,
    webhookDelayMs: options.webhookDelayMs ?? defaultWebhookDelayMs,
    slowMs: options.slowMs ?? defaultSlowMs,
  });
  const app = buildApp({
    store,
    provider,
    logger,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
  });
  const host = options.host ?? '127.0.0.1';
  await app.listen({ port: options.port, host });
  provider.resume();
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    control: (request) => provider.setControl(request),
    journal: (reference) => store.journal().filter((entry) => reference === undefined || entry.reference === reference),
    async close() {
      provider.close();
      await sender.close();
      await app.close();
      await store.close();
    },
  };
}
