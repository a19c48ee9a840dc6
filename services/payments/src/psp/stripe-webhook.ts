import { Stripe } from 'stripe';
import { PspMessageError, type PspNotification, PspSignatureError, type RawWebhook } from './psp.ts';
import { stripeToAmount } from './stripe-amount.ts';
import { intentToOutcome, refundToOutcome } from './stripe-outcome.ts';

/** As Standard Webhooks: 5 minutes. */
const toleranceS = 300;

/** Stripe's own scheme: an HMAC over timestamp and raw body in the header stripe-signature. */
export function readStripeWebhook(
  stripe: Stripe,
  secrets: readonly string[],
  { body, headers }: RawWebhook,
): PspNotification {
  const event = verify(stripe, secrets, Buffer.from(body), headers.get('stripe-signature') ?? '');
  const subject = event.data.object as unknown as Stripe.PaymentIntent | Stripe.Refund;
  if (subject.object === 'payment_intent') {
    return { ...common(event, subject), subject: 'charge', outcome: chargeOutcome(event.type, subject) };
  }
  if (subject.object === 'refund') {
    return { ...common(event, subject), subject: 'refund', outcome: refundToOutcome(subject) };
  }
  return {
    eventId: event.id,
    type: event.type,
    subject: 'other',
    reference: '',
    outcome: undefined,
    currencyCode: '',
    minorUnits: 0n,
  };
}

function verify(stripe: Stripe, secrets: readonly string[], body: Buffer, signature: string): Stripe.Event {
  for (const secret of secrets) {
    try {
      return stripe.webhooks.constructEvent(body, signature, secret, toleranceS);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) continue;
      throw new PspMessageError('The body is no event.', { cause: error });
    }
  }
  throw new PspSignatureError('The signature does not hold.');
}

function common(event: Stripe.Event, subject: Stripe.PaymentIntent | Stripe.Refund) {
  const currencyCode = subject.currency.toUpperCase();
  const minorUnits = stripeToAmount(currencyCode, subject.amount);
  if (minorUnits === undefined) throw new PspMessageError('The amount is no whole number of minor units.');
  return {
    eventId: event.id,
    type: event.type,
    reference: subject.metadata?.['reference'] ?? '',
    currencyCode,
    minorUnits,
  };
}

/** An intent that is created or waits is no news about money. */
function chargeOutcome(type: string, intent: Stripe.PaymentIntent) {
  const isNews = /^payment_intent\.(?:succeeded|processing|payment_failed|canceled)$/.test(type);
  return isNews ? intentToOutcome(intent) : undefined;
}
