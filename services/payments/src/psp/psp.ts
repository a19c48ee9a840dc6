// The port to a payment service provider. Adapters translate; they decide nothing.

/** What the provider says about a charge or refund. */
export type PspOutcome =
  | { readonly kind: 'processing'; readonly transactionId: string }
  | { readonly kind: 'completed'; readonly transactionId: string }
  | {
      readonly kind: 'failed';
      readonly transactionId: string | null;
      readonly failureCode: string;
      readonly failureReason: string;
    }
  /** It may or may not have had an effect: only asking tells. Never taken for a failure. */
  | { readonly kind: 'unknown'; readonly cause: unknown }
  /** It certainly had none: the same may be asked for again. */
  | { readonly kind: 'no-effect'; readonly cause: unknown };

/** The reference is ours, unique, and the idempotency key at the provider: however often asked, one effect. */
export interface PspCharge {
  readonly reference: string;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
  readonly paymentMethodToken: string | null;
}

export interface PspRefund {
  readonly reference: string;
  readonly chargeReference: string;
  readonly chargeTransactionId: string | null;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** The one place where a card's number and verification code leave the process. */
export interface CardDetails {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc: string;
}

export interface BankAccountDetails {
  readonly iban: string;
  readonly holderName: string;
}

export type TokenOutcome =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'refused'; readonly failureCode: string }
  | { readonly kind: 'invalid' };

/** A signed message of the provider, read. */
export interface PspNotification {
  readonly eventId: string;
  readonly type: string;
  readonly subject: 'charge' | 'refund' | 'other';
  /** Ours: id of the payment or refund. */
  readonly reference: string;
  readonly outcome: PspOutcome | undefined;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

export interface RawWebhook {
  readonly body: Uint8Array;
  readonly headers: Headers;
}

export interface Psp {
  readonly name: string;
  tokenizeCard(card: CardDetails, idempotencyKey: string): Promise<TokenOutcome>;
  /** Null where the provider keeps no tokens for accounts. */
  tokenizeBankAccount(account: BankAccountDetails, idempotencyKey: string): Promise<TokenOutcome | null>;
  charge(charge: PspCharge): Promise<PspOutcome>;
  /** Undefined: certainly nothing with this reference ever had an effect. 'unknown' where that can't be told. */
  findCharge(reference: string): Promise<PspOutcome | undefined>;
  refund(refund: PspRefund): Promise<PspOutcome>;
  findRefund(refund: PspRefund): Promise<PspOutcome | undefined>;
  /** Throws PspSignatureError or PspMessageError. */
  readWebhook(webhook: RawWebhook): PspNotification;
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The signature doesn't hold, or the timestamp is outside of the tolerance. */
export class PspSignatureError extends Error {
  override name = 'PspSignatureError';
}

/** Signed, but not a message that the provider's documentation knows. */
export class PspMessageError extends Error {
  override name = 'PspMessageError';
}
