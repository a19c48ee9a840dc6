// The Stripe adapter against a server that speaks the requests used, as docs.stripe.com/api describes them.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stripe } from 'stripe';
import t, { type Test } from 'tap';
import type { PspRefund } from '../src/psp/psp.ts';
import { createStripePsp } from '../src/psp/stripe-psp.ts';

const apiKey = 'sk_test_0123456789';
const webhookSecret = 'whsec_stripe-test-secret-0123456789';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly key: string | undefined;
}

/** Longer than any pause of a busy machine: an answer that is merely late must not count as unknown here. */
const patientTimeoutMs = 20_000;
const hangTimeoutMs = 300;

type Answer = { readonly status: number; readonly body: unknown } | 'hang';

/** Answers each path with what the test says, and repeats the answer for a repeated idempotency key. */
async function startStripe(t: Test, answers: Record<string, (seen: Seen) => Answer>, timeoutMs = patientTimeoutMs) {
  const seen: Seen[] = [];
  const byKey = new Map<string, Answer>();
  const server = createServer(async (request, response) => {
    const asked = await read(request);
    seen.push(asked);
    t.equal(request.headers.authorization, `Bearer ${apiKey}`);
    const route = `${asked.method} ${asked.path.split('?')[0]}`;
    const known = asked.key === undefined ? undefined : byKey.get(asked.key);
    const answer = known ?? answers[route]?.(asked) ?? { status: 404, body: stripeError('invalid_request_error', 'x') };
    if (answer === 'hang') return;
    if (asked.key !== undefined) byKey.set(asked.key, answer);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { seen, psp: createStripePsp({ apiKey, url, timeoutMs, webhookSecrets: [webhookSecret] }) };
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const key = request.headers['idempotency-key'];
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    form: new URLSearchParams(Buffer.concat(chunks).toString()),
    key: typeof key === 'string' ? key : undefined,
  };
}

const stripeError = (type: string, code: string, more: object = {}) => ({
  error: { type, code, message: 'No.', ...more },
});
const intent = (status: string, more: object = {}) => ({
  id: 'pi_1',
  object: 'payment_intent',
  status,
  amount: 1_050,
  currency: 'eur',
  metadata: { reference: 'ref-1' },
  ...more,
});
const charge = { reference: 'ref-1', currencyCode: 'EUR', minorUnits: 1_050n, paymentMethodToken: 'pm_1' };
const refund: PspRefund = {
  reference: 'refund-1',
  chargeReference: 'ref-1',
  chargeTransactionId: 'pi_1',
  currencyCode: 'EUR',
  minorUnits: 50n,
};

t.test('F36: each state and error of a payment intent is what it means for money', async (t) => {
  const table: [string, Answer, string][] = [
    ['succeeded', { status: 200, body: intent('succeeded') }, 'completed'],
    ['processing', { status: 200, body: intent('processing') }, 'processing'],
    ['needs the payer', { status: 200, body: intent('requires_action') }, 'failed'],
    ['canceled', { status: 200, body: intent('canceled') }, 'failed'],
    [
      'declined',
      { status: 402, body: stripeError('card_error', 'card_declined', { decline_code: 'lost_card' }) },
      'failed',
    ],
    ['refused', { status: 400, body: stripeError('invalid_request_error', 'parameter_invalid') }, 'failed'],
    ['limited', { status: 429, body: stripeError('invalid_request_error', 'rate_limit') }, 'no-effect'],
    ['unauthorized', { status: 401, body: stripeError('invalid_request_error', 'api_key_expired') }, 'no-effect'],
    ['server error', { status: 500, body: stripeError('api_error', 'x') }, 'unknown'],
    ['conflict', { status: 409, body: stripeError('idempotency_error', 'idempotency_key_in_use') }, 'unknown'],
    ['no answer', 'hang', 'unknown'],
  ];
  for (const [name, answer, kind] of table) {
    const timeoutMs = answer === 'hang' ? hangTimeoutMs : patientTimeoutMs;
    const { psp, seen } = await startStripe(t, { 'POST /v1/payment_intents': () => answer }, timeoutMs);
    const outcome = await psp.charge(charge);
    t.equal(outcome.kind, kind, name);
    t.equal(seen.length, 1, 'repetition is not left to the SDK');
    t.equal(seen[0]?.key, 'ref-1', 'our reference is the idempotency key');
    const form = seen[0]?.form;
    t.same(
      [form?.get('amount'), form?.get('currency'), form?.get('payment_method'), form?.get('metadata[reference]')],
      ['1050', 'eur', 'pm_1', 'ref-1'],
    );
    if (name === 'declined') t.match(outcome, { failureCode: 'lost_card' });
  }
});

t.test('F2: a charge is found again by its reference; silence of the search index is no answer', async (t) => {
  let found: unknown[] = [];
  const list = () => ({ status: 200, body: { object: 'search_result', data: found, has_more: false } });
  const { psp, seen } = await startStripe(t, { 'GET /v1/payment_intents/search': list });
  t.equal((await psp.findCharge('ref-1'))?.kind, 'unknown');
  found = [intent('succeeded')];
  t.match(await psp.findCharge('ref-1'), { kind: 'completed', transactionId: 'pi_1' });
  t.match(decodeURIComponent(seen[0]?.path ?? '').replaceAll('+', ' '), /metadata\['reference'\]:'ref-1'/);
});

t.test('B-ledger: refunds are made and found by reference', async (t) => {
  const made = {
    id: 're_1',
    object: 'refund',
    status: 'succeeded',
    amount: 50,
    currency: 'eur',
    metadata: { reference: 'refund-1' },
  };
  const { psp, seen } = await startStripe(t, {
    'POST /v1/refunds': () => ({ status: 200, body: { ...made, status: 'pending' } }),
    'GET /v1/refunds': () => ({ status: 200, body: { object: 'list', data: [made], has_more: false } }),
  });
  t.match(await psp.refund(refund), { kind: 'processing', transactionId: 're_1' });
  t.same([seen[0]?.key, seen[0]?.form.get('payment_intent'), seen[0]?.form.get('amount')], ['refund-1', 'pi_1', '50']);
  t.match(await psp.findRefund(refund), { kind: 'completed' });
  t.equal(await psp.findRefund({ ...refund, reference: 'other' }), undefined);
});

t.test('S4.3: a card becomes a token, or is refused', async (t) => {
  const { psp, seen } = await startStripe(t, {
    'POST /v1/payment_methods': ({ form }) =>
      form.get('card[cvc]') === '999'
        ? { status: 402, body: stripeError('card_error', 'incorrect_cvc') }
        : { status: 200, body: { id: 'pm_1', object: 'payment_method' } },
  });
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' };
  t.match(await psp.tokenizeCard(card, 'key-1'), { kind: 'token', token: 'pm_1' });
  t.equal(seen[0]?.form.get('card[exp_year]'), '2030');
  t.match(await psp.tokenizeCard({ ...card, cvc: '999' }, 'key-2'), { kind: 'refused', failureCode: 'incorrect_cvc' });
  t.match(await psp.charge({ ...charge, paymentMethodToken: null }), { kind: 'failed' });
  t.match(await psp.charge({ ...charge, currencyCode: 'KWD', minorUnits: 1_055n }), {
    failureCode: 'amount_not_supported',
  });
});

t.test('F18: webhooks of Stripe count only with its signature', async (t) => {
  const { psp } = await startStripe(t, {});
  const stripe = new Stripe(apiKey);
  const send = (type: string, object: object, secret = webhookSecret, ageS = 0) => {
    const payload = JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object } });
    const timestamp = Math.floor(Date.now() / 1_000) - ageS;
    const signature = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
    return psp.readWebhook({ body: Buffer.from(payload), headers: new Headers({ 'stripe-signature': signature }) });
  };
  t.match(send('payment_intent.succeeded', intent('succeeded')), {
    eventId: 'evt_1',
    subject: 'charge',
    reference: 'ref-1',
    outcome: { kind: 'completed' },
    currencyCode: 'EUR',
    minorUnits: 1_050n,
  });
  const fault = { last_payment_error: { code: 'card_declined', message: 'Declined.' } };
  t.match(send('payment_intent.payment_failed', intent('requires_payment_method', fault)).outcome, {
    kind: 'failed',
    failureCode: 'card_declined',
  });
  t.equal(send('payment_intent.created', intent('requires_payment_method')).outcome, undefined, 'no news about money');
  const given = {
    id: 're_1',
    object: 'refund',
    status: 'succeeded',
    amount: 50,
    currency: 'eur',
    metadata: { reference: 'r' },
  };
  t.match(send('refund.updated', given), { subject: 'refund', outcome: { kind: 'completed' }, minorUnits: 50n });
  t.equal(send('customer.created', { id: 'cus_1', object: 'customer' }).subject, 'other');
  t.throws(() => send('payment_intent.succeeded', intent('succeeded'), 'whsec_other'), { name: 'PspSignatureError' });
  t.throws(() => send('payment_intent.succeeded', intent('succeeded'), webhookSecret, 400), {
    name: 'PspSignatureError',
  });
  t.throws(() => psp.readWebhook({ body: Buffer.from('{}'), headers: new Headers() }), { name: 'PspSignatureError' });
});
