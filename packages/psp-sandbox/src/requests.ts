import { invalid, PspFailure } from './failures.ts';
import { isOutcome, type Outcome, outcomeOfCard, outcomes } from './outcomes.ts';

const amountMax = 1_000_000_000_000;
const textMax = 500;
const delayMsMax = 600_000;

export interface Card {
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly outcome: Outcome;
}

export interface ChargeRequest {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly paymentMethodToken?: string;
  readonly card?: Card;
}

export interface RefundRequest {
  readonly reference: string;
  readonly amount: number;
}

export interface ControlRequest {
  readonly mode: Outcome;
  readonly delayMs?: number;
  readonly count?: number;
}

export function parseIdempotencyKey(header: string | string[] | undefined): string {
  if (typeof header !== 'string' || header.length < 1 || header.length > 255) {
    throw invalid('The header Idempotency-Key is needed, 1 to 255 characters.');
  }
  return header;
}

export function parseCharge(body: unknown, now: Date): ChargeRequest {
  const fields = record(body);
  const { paymentMethodToken, card, currency } = fields;
  optionalText(fields, 'description');
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) {
    throw invalid('currency must be three upper-case letters.');
  }
  if (paymentMethodToken !== undefined && typeof paymentMethodToken !== 'string') {
    throw invalid('paymentMethodToken must be a string.');
  }
  if (paymentMethodToken !== undefined && card !== undefined) {
    throw invalid('Give paymentMethodToken or card, not both.');
  }
  return {
    reference: reference(fields),
    amount: amount(fields),
    currency,
    ...(paymentMethodToken === undefined ? {} : { paymentMethodToken }),
    ...(card === undefined ? {} : { card: parseCard(card, now) }),
  };
}

export function parseRefund(body: unknown): RefundRequest {
  const fields = record(body);
  optionalText(fields, 'reason');
  return { reference: reference(fields), amount: amount(fields) };
}

/** The number and the cvc end here: neither is kept, logged or repeated in a message. */
export function parseCard(value: unknown, now: Date): Card {
  const { number, expMonth, expYear, cvc } = record(value);
  if (typeof number !== 'string' || !/^\d{12,19}$/.test(number) || !passesLuhn(number)) {
    throw invalid('card.number must be 12 to 19 digits with a right check digit.');
  }
  if (!isInteger(expMonth, 1, 12) || !isInteger(expYear, 2000, 2100)) {
    throw invalid('card.expMonth must be 1 to 12 and card.expYear four digits.');
  }
  if (typeof cvc !== 'string' || !/^\d{3,4}$/.test(cvc)) throw invalid('card.cvc must be three or four digits.');
  if (cvc === '000') throw new PspFailure(402, 'incorrect_cvc', 'The security code is wrong.');
  const isPast = expYear * 12 + expMonth < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1;
  if (isPast) throw new PspFailure(402, 'expired_card', 'The card has expired.');
  return { brand: brandOf(number), last4: number.slice(-4), expMonth, expYear, outcome: outcomeOfCard(number) };
}

export function parseControl(body: unknown): ControlRequest {
  const { mode, delayMs, count } = record(body);
  if (!isOutcome(mode)) throw invalid(`mode must be one of ${outcomes.join(', ')}.`);
  if (delayMs !== undefined && !isInteger(delayMs, 0, delayMsMax)) {
    throw invalid(`delayMs must be 0 to ${delayMsMax}.`);
  }
  if (count !== undefined && !isInteger(count, 1, 1_000_000)) throw invalid('count must be at least 1.');
  return { mode, ...(delayMs === undefined ? {} : { delayMs }), ...(count === undefined ? {} : { count }) };
}

export function record(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('The body must be a JSON object.');
  return body as Record<string, unknown>;
}

function reference(fields: Record<string, unknown>): string {
  const value = fields['reference'];
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(value)) {
    throw invalid('reference must be 1 to 64 letters, digits, "-" or "_".');
  }
  return value;
}

function amount(fields: Record<string, unknown>): number {
  const value = fields['amount'];
  if (!isInteger(value, 1, amountMax)) throw invalid(`amount must be an integer from 1 to ${amountMax}.`);
  return value;
}

function optionalText(fields: Record<string, unknown>, name: string): void {
  const value = fields[name];
  if (value !== undefined && (typeof value !== 'string' || value.length > textMax)) {
    throw invalid(`${name} must be at most ${textMax} characters.`);
  }
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function passesLuhn(number: string): boolean {
  let sum = 0;
  for (const [index, digit] of [...number].reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

function brandOf(number: string): string {
  if (number.startsWith('4')) return 'visa';
  if (/^(5[1-5]|2[2-7])/.test(number)) return 'mastercard';
  if (/^3[47]/.test(number)) return 'amex';
  return 'unknown';
}
