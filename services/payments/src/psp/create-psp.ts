import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { type PaymentsConfig, sandboxUrl } from '../config.ts';
import type { Psp } from './psp.ts';
import { createPspHttp } from './psp-http.ts';
import { createSandboxPsp } from './sandbox-psp.ts';
import { createStripePsp } from './stripe-psp.ts';

export interface PspDeps {
  readonly config: PaymentsConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The provider that PSP_PROVIDER names. */
export function createPsp({ config, logger, metrics }: PspDeps): Psp {
  const webhookSecrets = [config.PSP_WEBHOOK_SECRET, config.PSP_WEBHOOK_PREVIOUS_SECRET]
    .filter((secret) => secret !== undefined)
    .map((secret) => secret.reveal());
  if (config.PSP_PROVIDER === 'stripe') {
    return createStripePsp({
      apiKey: config.PSP_API_KEY?.reveal() ?? '',
      url: config.PSP_URL === sandboxUrl ? undefined : config.PSP_URL,
      timeoutMs: config.PSP_TIMEOUT_MS,
      webhookSecrets,
    });
  }
  const http = createPspHttp({
    baseUrl: config.PSP_URL,
    apiKey: config.PSP_API_KEY?.reveal(),
    timeoutMs: config.PSP_TIMEOUT_MS,
    connectionsMax: config.PSP_CONCURRENCY,
    logger,
    metrics,
  });
  return createSandboxPsp({ http, webhookSecrets });
}
