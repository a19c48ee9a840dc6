import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { PspMessageError, PspSignatureError, type RawWebhook } from './psp.ts';

const idPattern = /^[\x21-\x7e]{1,255}$/;
const headersMax = 2_048;

export interface VerifiedMessage {
  readonly id: string;
  readonly body: unknown;
}

/**
 * Standard Webhooks: the signature counts over id, timestamp and the raw bytes, within 5 minutes of now. Each of the
 * secrets is tried, so that the provider can change over from one to the next.
 */
export function verifyStandardWebhook(secrets: readonly string[], { headers, body }: RawWebhook): VerifiedMessage {
  const id = headers.get('webhook-id') ?? '';
  const signature = headers.get('webhook-signature') ?? '';
  if (!idPattern.test(id) || signature.length > headersMax) throw new PspSignatureError('No signed message.');
  const signed = {
    'webhook-id': id,
    'webhook-timestamp': headers.get('webhook-timestamp') ?? '',
    'webhook-signature': signature,
  };
  const raw = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!secrets.some((secret) => holds(secret, raw, signed)))
    throw new PspSignatureError('The signature does not hold.');
  try {
    return { id, body: JSON.parse(raw.toString('utf8')) };
  } catch (error) {
    throw new PspMessageError('The body is no JSON.', { cause: error });
  }
}

function holds(secret: string, raw: Buffer, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(raw, headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
