import type { SandboxOptions } from './sandbox.ts';

const secretBytesMin = 24;

/** Reads and checks the variables of README.md, and tells every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv): SandboxOptions {
  const faults: string[] = [];
  const number = (name: string, fallback: number, max: number): number => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    faults.push(`${name} must be an integer from 0 to ${max}`);
    return fallback;
  };
  const text = (name: string): string | undefined => env[name] || undefined;
  const url = text('PSP_WEBHOOK_URL');
  const secret = text('PSP_WEBHOOK_SECRET');
  if (url !== undefined && !/^https?:$/.test(protocolOf(url))) faults.push('PSP_WEBHOOK_URL must be an http(s) URL');
  if (url !== undefined && !isWebhookSecret(secret)) {
    faults.push(`PSP_WEBHOOK_SECRET must be whsec_ and base64 of at least ${secretBytesMin} bytes`);
  }
  const apiKey = text('PSP_API_KEY');
  const dataFile = text('PSP_SANDBOX_DATA');
  const options: SandboxOptions = {
    port: number('PSP_SANDBOX_PORT', 3010, 65_535),
    host: text('PSP_SANDBOX_HOST') ?? '127.0.0.1',
    webhookDelayMs: number('PSP_WEBHOOK_DELAY_MS', 50, 600_000),
    slowMs: number('PSP_SLOW_MS', 3_000, 600_000),
    timeoutMs: number('PSP_TIMEOUT_MS', 60_000, 3_600_000),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(url === undefined || secret === undefined ? {} : { webhook: { url, secret } }),
  };
  if (faults.length > 0) throw new Error(faults.join('; '));
  return options;
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

function isWebhookSecret(secret: string | undefined): boolean {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret ?? '');
  return match !== null && Buffer.from(match[1] ?? '', 'base64').length >= secretBytesMin;
}
