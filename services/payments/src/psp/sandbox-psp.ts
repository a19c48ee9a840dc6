import type {
  CardDetails,
  Psp,
  PspCharge,
  PspNotification,
  PspOutcome,
  PspRefund,
  RawWebhook,
  TokenOutcome,
} from './psp.ts';
import { PspMessageError } from './psp.ts';
import { type PspAnswer, type PspHttp, PspNotSentError, PspStatusError } from './psp-http.ts';
import { verifyStandardWebhook } from './standard-webhook.ts';

export interface SandboxPspOptions {
  readonly http: PspHttp;
  readonly webhookSecrets: readonly string[];
}

const codeLengthMax = 100;
const reasonLengthMax = 1_000;

/** The adapter of packages/psp-sandbox. Its README says what each status means. */
export function createSandboxPsp({ http, webhookSecrets }: SandboxPspOptions): Psp {
  return {
    name: 'sandbox',
    tokenizeCard: (card, idempotencyKey) => tokenizeCard(http, card, idempotencyKey),
    tokenizeBankAccount: async () => null,
    charge: (charge) => act(() => http.request(chargeRequest(charge))),
    findCharge: (reference) => find(http, `/v1/charges/${encodeURIComponent(reference)}`, 'find_charge'),
    refund: (refund) => act(() => http.request(refundRequest(refund))),
    findRefund: ({ reference }) => find(http, `/v1/refunds/${encodeURIComponent(reference)}`, 'find_refund'),
    readWebhook: (webhook) => readWebhook(webhookSecrets, webhook),
    async check() {
      await http.request({ operation: 'check', method: 'GET', path: '/readyz' });
    },
    close: () => http.close(),
  };
}

function chargeRequest({ reference, minorUnits, currencyCode, paymentMethodToken }: PspCharge) {
  const body = withAmount(minorUnits, {
    reference,
    currency: currencyCode,
    ...(paymentMethodToken === null ? {} : { paymentMethodToken }),
  });
  return { operation: 'charge', method: 'POST', path: '/v1/charges', idempotencyKey: reference, body } as const;
}

function refundRequest({ reference, chargeReference, minorUnits }: PspRefund) {
  const body = withAmount(minorUnits, { reference });
  const path = `/v1/charges/${encodeURIComponent(chargeReference)}/refunds`;
  return { operation: 'refund', method: 'POST', path, idempotencyKey: reference, body } as const;
}

/** JSON knows integers of any size; only JavaScript's own number doesn't. */
function withAmount(minorUnits: bigint, fields: Readonly<Record<string, string>>): string {
  return `{"amount":${minorUnits},${JSON.stringify(fields).slice(1)}`;
}

/** 402 and the other refusals are final; 503 says that there was no effect; all else that went wrong is unknown. */
async function act(send: () => Promise<PspAnswer>): Promise<PspOutcome> {
  let answer: PspAnswer;
  try {
    answer = await send();
  } catch (cause) {
    const isWithoutEffect =
      cause instanceof PspNotSentError || (cause instanceof PspStatusError && cause.status === 503);
    return { kind: isWithoutEffect ? 'no-effect' : 'unknown', cause };
  }
  if (answer.status < 300) return outcomeOf(answer.body);
  const { code, message } = errorOf(answer.body);
  // An unauthorized or limited request says something about us, not about the payment.
  if (answer.status === 401 || answer.status === 403 || answer.status === 429) {
    return { kind: 'no-effect', cause: new PspStatusError(answer.status) };
  }
  return { kind: 'failed', transactionId: null, failureCode: code, failureReason: message };
}

/** An answer that can't be had is thrown: "I don't know" must not look like "there is none". */
async function find(http: PspHttp, path: string, operation: string): Promise<PspOutcome | undefined> {
  const { status, body } = await http.request({ operation, method: 'GET', path });
  if (status === 404) return undefined;
  if (status >= 300) throw new PspStatusError(status);
  return outcomeOf(body);
}

async function tokenizeCard(http: PspHttp, card: CardDetails, idempotencyKey: string): Promise<TokenOutcome> {
  const { number, expMonth, expYear, cvc } = card;
  const body = JSON.stringify({ card: { number, expMonth, expYear, cvc } });
  const request = { operation: 'tokenize', method: 'POST', path: '/v1/payment-methods', idempotencyKey, body } as const;
  const answer = await http.request(request);
  if (answer.status === 402) return { kind: 'refused', failureCode: errorOf(answer.body).code };
  if (answer.status === 400) return { kind: 'invalid' };
  if (answer.status >= 300) throw new PspStatusError(answer.status);
  return { kind: 'token', token: textOf(recordOf(answer.body)['token']) };
}

function outcomeOf(body: unknown): PspOutcome {
  const { id, status, failureReason } = recordOf(body);
  const transactionId = textOf(id);
  if (status === 'processing' || status === 'completed') return { kind: status, transactionId };
  if (status === 'failed') return { kind: 'failed', transactionId, ...failure(failureReason) };
  throw new PspMessageError('The provider names no known status.');
}

function failure(reason: unknown) {
  const text = typeof reason === 'string' && reason !== '' ? reason : 'unspecified';
  return { failureCode: text.slice(0, codeLengthMax), failureReason: text.slice(0, reasonLengthMax) };
}

function readWebhook(secrets: readonly string[], webhook: RawWebhook): PspNotification {
  const { id, body } = verifyStandardWebhook(secrets, webhook);
  const message = recordOf(body);
  const data = recordOf(message['data']);
  const type = textOf(message['type']);
  const amount = data['amount'];
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount))
    throw new PspMessageError('The amount is no integer.');
  const subject = type.startsWith('charge.') ? 'charge' : type.startsWith('refund.') ? 'refund' : 'other';
  return {
    eventId: id,
    type: type.slice(0, codeLengthMax),
    subject,
    reference: textOf(data['reference']),
    outcome: notifiedOutcome(data, subject),
    currencyCode: textOf(data['currency']),
    minorUnits: BigInt(amount),
  };
}

function notifiedOutcome(
  data: Record<string, unknown>,
  subject: 'charge' | 'refund' | 'other',
): PspOutcome | undefined {
  if (subject === 'other') return undefined;
  return outcomeOf({ ...data, id: data[subject === 'charge' ? 'chargeId' : 'refundId'] });
}

function errorOf(body: unknown): { code: string; message: string } {
  const { code, message } = recordOf(recordOf(body)['error']);
  return {
    code: typeof code === 'string' ? code.slice(0, codeLengthMax) : 'refused',
    message: typeof message === 'string' ? message.slice(0, reasonLengthMax) : 'The provider refused.',
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PspMessageError('The provider sent no object where one belongs.');
  }
  return value as Record<string, unknown>;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > 255) {
    throw new PspMessageError('The provider sent no text where one belongs.');
  }
  return value;
}
