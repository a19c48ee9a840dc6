import { Stripe } from 'stripe';
import type { CardDetails, Psp, PspCharge, PspOutcome, PspRefund, TokenOutcome } from './psp.ts';
import { amountToStripe } from './stripe-amount.ts';
import { intentToOutcome, refundToOutcome, refused } from './stripe-outcome.ts';
import { readStripeWebhook } from './stripe-webhook.ts';

export interface StripePspOptions {
  readonly apiKey: string;
  /** Stripe itself when left out; a server of a test otherwise. */
  readonly url?: string | undefined;
  readonly timeoutMs: number;
  readonly webhookSecrets: readonly string[];
}

const refundsMax = 100;
const serverErrorMin = 500;

/** Stripe behind the port: a charge is a PaymentIntent that carries our reference in its metadata. */
export function createStripePsp({ apiKey, url, timeoutMs, webhookSecrets }: StripePspOptions): Psp {
  const stripe = new Stripe(apiKey, {
    timeout: timeoutMs,
    // Repetition is ours: the worker repeats under its lease, with the same idempotency key.
    maxNetworkRetries: 0,
    telemetry: false,
    ...addressOf(url),
  });
  return {
    name: 'stripe',
    tokenizeCard: (card, key) => tokenizeCard(stripe, card, key),
    tokenizeBankAccount: async ({ iban, holderName }, key) => {
      const made = await stripe.paymentMethods.create(
        { type: 'sepa_debit', sepa_debit: { iban }, billing_details: { name: holderName } },
        { idempotencyKey: key },
      );
      return { kind: 'token', token: made.id };
    },
    charge: (charge) => createCharge(stripe, charge),
    findCharge: (reference) => findCharge(stripe, reference),
    refund: (refund) => createRefund(stripe, refund),
    findRefund: (refund) => findRefund(stripe, refund),
    readWebhook: (webhook) => readStripeWebhook(stripe, webhookSecrets, webhook),
    async check() {
      await stripe.balance.retrieve();
    },
    close: async () => undefined,
  };
}

function addressOf(url: string | undefined) {
  if (url === undefined) return {};
  const { protocol, hostname, port } = new URL(url);
  const isPlain = protocol === 'http:';
  return {
    protocol: isPlain ? ('http' as const) : ('https' as const),
    host: hostname,
    port: port === '' ? (isPlain ? 80 : 443) : Number(port),
  };
}

async function tokenizeCard(stripe: Stripe, card: CardDetails, idempotencyKey: string): Promise<TokenOutcome> {
  try {
    const { id } = await stripe.paymentMethods.create(
      { type: 'card', card: { number: card.number, exp_month: card.expMonth, exp_year: card.expYear, cvc: card.cvc } },
      { idempotencyKey },
    );
    return { kind: 'token', token: id };
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError)
      return { kind: 'refused', failureCode: error.code ?? 'card_declined' };
    if (error instanceof Stripe.errors.StripeInvalidRequestError) return { kind: 'invalid' };
    throw error;
  }
}

async function createCharge(stripe: Stripe, charge: PspCharge): Promise<PspOutcome> {
  const amount = amountToStripe(charge.currencyCode, charge.minorUnits);
  if (amount === undefined) return refused(null, 'amount_not_supported', 'The provider can not take this amount.');
  if (charge.paymentMethodToken === null) return refused(null, 'payment_method_missing', 'A payment method is needed.');
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount,
        currency: charge.currencyCode.toLowerCase(),
        payment_method: charge.paymentMethodToken,
        confirm: true,
        off_session: true,
        metadata: { reference: charge.reference },
      },
      { idempotencyKey: charge.reference },
    );
    return intentToOutcome(intent);
  } catch (error) {
    return errorToOutcome(error);
  }
}

/** Search is behind by up to a minute, so its silence means nothing; the same request again is what tells. */
async function findCharge(stripe: Stripe, reference: string): Promise<PspOutcome> {
  const { data } = await stripe.paymentIntents.search({ query: `metadata['reference']:'${reference}'`, limit: 1 });
  const [intent] = data;
  if (intent === undefined) return { kind: 'unknown', cause: new Error('Not in the search index.') };
  return intentToOutcome(intent);
}

async function createRefund(stripe: Stripe, refund: PspRefund): Promise<PspOutcome> {
  const amount = amountToStripe(refund.currencyCode, refund.minorUnits);
  if (amount === undefined || refund.chargeTransactionId === null) {
    return refused(null, 'amount_not_supported', 'The provider can not give this amount back.');
  }
  try {
    const made = await stripe.refunds.create(
      { payment_intent: refund.chargeTransactionId, amount, metadata: { reference: refund.reference } },
      { idempotencyKey: refund.reference },
    );
    return refundToOutcome(made);
  } catch (error) {
    return errorToOutcome(error);
  }
}

async function findRefund(stripe: Stripe, refund: PspRefund): Promise<PspOutcome | undefined> {
  if (refund.chargeTransactionId === null) return undefined;
  const { data } = await stripe.refunds.list({ payment_intent: refund.chargeTransactionId, limit: refundsMax });
  const found = data.find(({ metadata }) => metadata?.['reference'] === refund.reference);
  return found === undefined ? undefined : refundToOutcome(found);
}

/** What a thrown error says about the effect. When in doubt: unknown, and the worker asks again. */
function errorToOutcome(error: unknown): PspOutcome {
  const { errors } = Stripe;
  if (error instanceof errors.StripeCardError) {
    return refused(
      error.payment_intent?.id ?? null,
      error.decline_code ?? error.code ?? 'card_declined',
      error.message,
    );
  }
  if (error instanceof errors.StripeRateLimitError || error instanceof errors.StripeAuthenticationError) {
    return { kind: 'no-effect', cause: error };
  }
  if (error instanceof errors.StripeInvalidRequestError && (error.statusCode ?? serverErrorMin) < serverErrorMin) {
    return refused(null, error.code ?? 'invalid_request', 'The provider refused the request.');
  }
  return { kind: 'unknown', cause: error };
}
