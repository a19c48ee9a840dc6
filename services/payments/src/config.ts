import {
  boolean,
  type ConfigFault,
  type ConfigOf,
  defineConfig,
  durationMs,
  durationS,
  integer,
  list,
  oneOf,
  platformVariables,
  port,
  secret,
  staleReadVariables,
  url,
} from '@strongroom/platform/config';
import { amountListFaults } from './money/amount-list.ts';

/** Where the sandbox listens; Stripe's own address is used when nothing else is said. */
export const sandboxUrl = 'http://127.0.0.1:3010';

/** The variables of payments beyond the platform's. */
export const paymentsVariables = defineConfig({
  ...platformVariables,
  ...staleReadVariables,
  PORT: port({ default: 3002, doc: 'Port of the payments service.' }),
  STEP_UP_AMOUNT: integer({
    default: 10_000,
    max: 10_000_000,
    doc: 'Payments above so many whole units of their currency ask for an authentication of the last 15 minutes, with the second factor where there is one; 0: none does.',
  }),
  STEP_UP_AMOUNTS: list({
    default: [],
    maxItems: 200,
    doc: 'Other bounds than STEP_UP_AMOUNT, each for one currency and in its minor units (JPY=1500000,KWD=3000000); 0: none.',
  }),
  PSP_PROVIDER: oneOf(['sandbox', 'stripe'], {
    default: 'sandbox',
    doc: 'Payment service provider behind the PSP port.',
  }),
  PSP_URL: url({ default: sandboxUrl, mayBeClear: true, doc: 'Where the provider answers; in production by https.' }),
  PSP_API_KEY: secret({ optional: true, minBytes: 16, doc: 'Key for the provider.' }),
  PSP_WEBHOOK_SECRET: secret({ minBytes: 24, doc: 'Secret of webhooks from the provider (whsec_…).' }),
  PSP_WEBHOOK_PREVIOUS_SECRET: secret({
    optional: true,
    minBytes: 24,
    doc: 'The secret before, accepted beside it while the provider changes over.',
  }),
  PSP_TIMEOUT_MS: durationMs({
    default: 10_000,
    min: 10,
    max: 60_000,
    doc: 'Longest wait for an answer of the provider.',
  }),
  PSP_LEASE_MS: durationMs({
    default: 30_000,
    min: 50,
    max: 300_000,
    doc: 'After which a task at the provider is taken over from a process that hangs or died; more than PSP_TIMEOUT_MS.',
  }),
  PSP_RECONCILE_MS: durationMs({
    default: 5_000,
    min: 10,
    max: 300_000,
    doc: 'After which the provider is asked what became of a payment; doubles each time.',
  }),
  PSP_CONCURRENCY: integer({ default: 16, min: 1, max: 256, doc: 'Calls of the provider at once in one process.' }),
  IDEMPOTENCY_KEY_TTL_S: durationS({
    default: 172_800,
    min: 86_460,
    max: 2_592_000,
    doc: 'How long an idempotency key counts, in seconds; more than a day.',
  }),
  IDEMPOTENCY_LEASE_MS: durationMs({
    default: 30_000,
    min: 50,
    max: 300_000,
    doc: 'After which an idempotency key is taken over from a process that hangs or died.',
  }),
  SCHEDULER_INTERVAL_MS: durationMs({
    default: 1_000,
    min: 10,
    max: 60_000,
    doc: 'How often due payments are looked for.',
  }),
  RECURRENCE_INTERVAL_MIN_S: durationS({
    default: 1,
    min: 1,
    doc: 'Least time between two payments of one rule, in seconds.',
  }),
  WEBHOOK_TIMEOUT_MS: durationMs({
    default: 5_000,
    min: 10,
    max: 30_000,
    doc: "Longest wait for a merchant's answer.",
  }),
  WEBHOOK_RETRY_FIRST_MS: durationMs({ default: 5_000, min: 10, doc: 'Wait before the second attempt of a webhook.' }),
  WEBHOOK_ATTEMPTS_MAX: integer({ default: 12, min: 1, max: 30, doc: 'Attempts after which a webhook is given up.' }),
  WEBHOOK_ALLOW_INSECURE_TARGETS: boolean({
    default: false,
    doc: 'Send webhooks to http and private addresses; for development and tests, refused in production.',
  }),
  WATCH_STREAMS_MAX: integer({ default: 500, min: 1, max: 10_000, doc: 'Streams of WatchPayments in one process.' }),
  WATCH_POLL_MS: durationMs({ default: 1_000, min: 10, max: 60_000, doc: 'How often a stream looks for changes.' }),
  WATCH_KEEP_ALIVE_MS: durationMs({ default: 15_000, min: 10, max: 300_000, doc: 'Longest silence on a stream.' }),
});

export type PaymentsConfig = ConfigOf<typeof paymentsVariables>;

/** What one variable alone can't say. */
export function configFaults(config: PaymentsConfig): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const add = (variable: string, rule: string) => void faults.push({ variable, rule });
  if (config.PSP_LEASE_MS <= config.PSP_TIMEOUT_MS) add('PSP_LEASE_MS', 'must be more than PSP_TIMEOUT_MS');
  if (config.PSP_PROVIDER === 'stripe' && config.PSP_API_KEY === undefined) add('PSP_API_KEY', 'is needed by Stripe');
  for (const fault of amountListFaults(config.STEP_UP_AMOUNTS)) add('STEP_UP_AMOUNTS', fault);
  if (config.STRONGROOM_ENV === 'production') {
    if (config.WEBHOOK_ALLOW_INSECURE_TARGETS) add('WEBHOOK_ALLOW_INSECURE_TARGETS', 'is refused in production');
    if (config.PSP_URL !== sandboxUrl && new URL(config.PSP_URL).protocol !== 'https:') {
      add('PSP_URL', 'must begin with https:// in production');
    }
    if (config.PSP_PROVIDER === 'sandbox') add('PSP_PROVIDER', 'must be a provider that moves money in production');
  }
  return faults;
}
