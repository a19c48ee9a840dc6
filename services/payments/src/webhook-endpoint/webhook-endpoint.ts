import { randomBytes } from 'node:crypto';
import { errors } from '../errors.ts';

/** contract: what merchants can ask for. */
export const webhookEventTypes = [
  'payment.created',
  'payment.updated',
  'payment.completed',
  'payment.failed',
  'payment.cancelled',
  'payment.refunded',
] as const;

/** Standard Webhooks asks for 24 to 64 bytes. */
const secretBytes = 32;

export function makeWebhookSecret(): string {
  return `whsec_${randomBytes(secretBytes).toString('base64')}`;
}

export function requireEventTypes(eventTypes: readonly string[]): void {
  const known: readonly string[] = webhookEventTypes;
  if (!eventTypes.every((type) => known.includes(type))) {
    const message = `holds another than ${known.join(', ')}`;
    throw errors.WEBHOOK_EVENT_UNKNOWN({ violations: [{ field: 'event_types', rule: 'webhook.event', message }] });
  }
}

const retryFactor = 2;
const retryDelayMaxMs = 21_600_000; // 6 h
const jitterShare = 0.2;

/** 5 s, 10 s, 20 s … 6 h, each ± 20 %, so that a merchant that comes back isn't met by all at once. */
export function retryDelayMs(attemptCount: number, firstMs: number, random: () => number = Math.random): number {
  const plain = Math.min(retryDelayMaxMs, firstMs * retryFactor ** Math.min(attemptCount - 1, 30));
  return Math.round(plain * (1 - jitterShare + 2 * jitterShare * random()));
}
