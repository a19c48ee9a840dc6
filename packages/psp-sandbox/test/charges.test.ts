import { createJsonClient, until } from '@strongroom/testkit';
import { type Test, test } from 'tap';
import { createSandbox, type Sandbox } from '../src/index.ts';
import { createReceiver } from './receiver.ts';

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes....').toString('base64')}`;

interface Setup {
  sandbox: Sandbox;
  receiver: Awaited<ReturnType<typeof createReceiver>>;
  charge(reference: string, amount: number, more?: object, key?: string): ReturnType<typeof post>;
  client: ReturnType<typeof createJsonClient>;
}
const post = (client: ReturnType<typeof createJsonClient>, path: string, body: object, key: string) =>
  client.post<Record<string, unknown>>(path, body, { headers: { 'idempotency-key': key }, timeoutMs: 2_000 });

async function setUp(t: Test): Promise<Setup> {
  const receiver = await createReceiver(secret);
  const sandbox = await createSandbox({
    port: 0,
    webhook: { url: receiver.url, secret },
    webhookDelayMs: 5,
    slowMs: 150,
    timeoutMs: 300,
  });
  t.teardown(async () => {
    await sandbox.close();
    await receiver.close();
  });
  const client = createJsonClient(sandbox.url);
  return {
    sandbox,
    receiver,
    client,
    charge: (reference, amount, more = {}, key = `key-${reference}`) =>
      post(client, '/v1/charges', { reference, amount, currency: 'EUR', ...more }, key),
  };
}

test('B-hooks a charge is processed, completed and reported by one signed webhook', async (t) => {
  const { charge, receiver, client, sandbox } = await setUp(t);
  const made = await charge('a', 12_500);
  t.match(made, { status: 201, body: { id: /^ch_/, reference: 'a', amount: 12_500, status: 'processing' } });
  const event = await until(() => receiver.received[0]);
  t.match(event, { type: 'charge.completed', data: { reference: 'a', chargeId: made.body.id, status: 'completed' } });
  t.equal(event.id, event.data['eventId']);
  t.match((await client.get('/v1/charges/a')).body, { status: 'completed' });
  t.match((await client.get(`/v1/charges/${made.body.id}`)).body, { status: 'completed' });
  t.match((await client.get('/v1/charges?reference=a')).body, { charges: [{ reference: 'a' }] });
  t.match((await client.get('/v1/charges?reference=b')).body, { charges: [] });
  t.match(await client.get('/v1/charges/b'), { status: 404, body: { error: { code: 'not_found' } } });
  t.strictSame(
    sandbox.journal('a').map(({ kind }) => kind),
    ['charge', 'charge-completed'],
  );
});

test('B-idem one reference is charged once, whatever is sent', async (t) => {
  const { charge, sandbox } = await setUp(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => charge('same', 500)));
  t.equal(answers.filter(({ status }) => status === 201).length, 1);
  t.equal(
    answers.filter(({ status, headers }) => status === 200 && headers.get('idempotency-replayed') === 'true').length,
    49,
  );
  t.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
  t.equal(sandbox.journal('same').filter(({ kind }) => kind === 'charge').length, 1);
  t.match(await charge('same', 501), { status: 409, body: { error: { code: 'idempotency_mismatch' } } });
  t.match(await charge('other', 500, {}, 'key-same'), { status: 409 }, 'the key for another reference');
  t.match(await charge('same', 500, {}, 'another-key'), { status: 200 }, 'another key for the same reference');
  t.equal(sandbox.journal().filter(({ kind }) => kind === 'charge').length, 1);
});

test('test amounts decide the outcome', async (t) => {
  const { charge, receiver, client, sandbox } = await setUp(t);
  const settled = (reference: string, status: string) =>
    until(async () => (await client.get<{ status: string }>(`/v1/charges/${reference}`)).body.status === status);
  const events = (reference: string) => receiver.received.filter(({ data }) => data['reference'] === reference);

  t.match(await charge('declined', 9_901), { status: 201, body: { status: 'processing' } });
  await until(() => events('declined').length === 1);
  t.match(events('declined'), [{ type: 'charge.failed', data: { failureReason: 'card_declined' } }]);

  await t.rejects(charge('timeout', 19_902, {}, 'k'), 'never answered');
  await settled('timeout', 'completed');
  t.match(await charge('timeout', 19_902, {}, 'k'), { status: 200 }, 'a repetition is answered');

  const began = performance.now();
  t.match(await charge('slow', 9_903), { status: 201, body: { status: 'processing' } });
  t.ok(performance.now() - began >= 140);

  t.match(await charge('error', 9_904), { status: 500, body: { error: { code: 'internal_error' } } });
  await settled('error', 'completed');

  await charge('double', 9_905);
  await until(() => events('double').length === 2);
  t.equal(new Set(events('double').map(({ id, body }) => id + body)).size, 1, 'the same bytes');

  await charge('order', 9_906);
  await until(() => events('order').length === 2);
  t.strictSame(
    events('order').map(({ type }) => type),
    ['charge.completed', 'charge.processing'],
  );
  t.ok(Number(events('order')[0]?.timestamp.localeCompare(events('order')[1]?.timestamp ?? '')) >= 0);

  t.match(await charge('refused', 9_907), { status: 402, body: { error: { code: 'card_declined' } } });
  t.match(await charge('refused', 9_907), { status: 402 }, 'and again');
  t.match((await client.get('/v1/charges/refused')).body, { status: 'failed' });

  t.match(await charge('now', 9_908), { status: 201, body: { status: 'completed' } });
  await until(() => events('now').length === 1);

  const down = await charge('down', 9_909);
  t.match(down, { status: 503, body: { error: { code: 'unavailable' } } });
  t.equal(down.headers.get('retry-after'), '1');
  t.strictSame(sandbox.journal('down'), []);

  await charge('lost', 9_910);
  await settled('lost', 'completed');

  await t.rejects(charge('swallowed', 9_912));
  t.match(await client.get('/v1/charges/swallowed'), { status: 404 });
  t.match(await charge('swallowed', 9_912), { status: 201 });

  t.match(await charge('broken', 9_914), { status: 500 });
  t.match(await client.get('/v1/charges/broken'), { status: 404 });
  t.match(await charge('broken', 9_914), { status: 201 });

  await charge('contradicted', 9_916);
  await until(() => events('contradicted').length === 2);
  t.strictSame(
    events('contradicted').map(({ type }) => type),
    ['charge.completed', 'charge.failed'],
  );
  t.match((await client.get('/v1/charges/contradicted')).body, { status: 'completed' });

  const unreported = ['timeout', 'lost', 'refused'].flatMap(events);
  t.strictSame(unreported, [], 'no webhook for these');
  t.match((await client.get('/v1/deliveries?reference=double')).body, {
    deliveries: [{ delivered: true, attempts: 1 }],
  });
});

test('refunds never exceed the charge, and a failed one gives its amount back', async (t) => {
  const { charge, client, receiver, sandbox } = await setUp(t);
  const refund = (reference: string, amount: number) =>
    post(client, '/v1/charges/paid/refunds', { reference, amount }, `key-${reference}`);
  t.match(await refund('early', 1), { status: 404 });
  await charge('paid', 20_000);
  await until(() => receiver.received.length === 1);
  const parallel = await Promise.all(['r1', 'r2', 'r3'].map((reference) => refund(reference, 8_000)));
  t.strictSame(parallel.map(({ status }) => status).sort(), [201, 201, 422]);
  t.match(await refund('r1', 8_000), { status: 200 }, 'the same again');
  await until(() => receiver.received.filter(({ type }) => type === 'refund.completed').length === 2);
  t.match(receiver.received[1]?.data, {
    refundId: /^re_/,
    chargeReference: 'paid',
    amount: 8_000,
    status: 'completed',
  });
  t.match((await client.get('/v1/refunds/r1')).body, { status: 'completed', chargeReference: 'paid' });
  t.match((await client.get('/v1/charges/paid')).body, { amountRefunded: 16_000 });

  await charge('second', 10_000);
  await until(() => sandbox.journal('second').length === 2);
  t.match(await post(client, '/v1/charges/second/refunds', { reference: 'bad', amount: 9_901 }, 'k'), { status: 201 });
  await until(() => receiver.received.some(({ type }) => type === 'refund.failed'));
  t.match((await client.get('/v1/charges/second')).body, { amountRefunded: 0 });

  await charge('pending', 9_901);
  await until(() => sandbox.journal('pending').length === 2);
  t.match(await post(client, '/v1/charges/pending/refunds', { reference: 'x', amount: 1 }, 'k2'), { status: 409 });
});

test('S4.3 cards become tokens, and neither number nor cvc is kept', async (t) => {
  const { charge, client, receiver } = await setUp(t);
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2099, cvc: '123' };
  const tokenize = (change: object) =>
    client.post<Record<string, unknown>>('/v1/payment-methods', { card: { ...card, ...change } });
  const made = await tokenize({});
  t.match(made, { status: 201, body: { token: /^pm_/, brand: 'visa', last4: '4242', expMonth: 12, expYear: 2099 } });
  t.notMatch(made.text, /4242424242424242|123/);
  t.match(await tokenize({ number: '4242424242424241' }), { status: 400 });
  t.match(await tokenize({ cvc: '000' }), { status: 402, body: { error: { code: 'incorrect_cvc' } } });
  t.match(await tokenize({ expYear: 2020 }), { status: 402, body: { error: { code: 'expired_card' } } });
  t.match(await charge('one', 100, { paymentMethodToken: made.body['token'] }), { status: 201 });
  t.match(await charge('two', 100, { paymentMethodToken: 'pm_unknown' }), { status: 400 });
  const declined = await tokenize({ number: '4000000000000002' });
  await charge('three', 100, { paymentMethodToken: declined.body['token'] });
  await until(() =>
    receiver.received.some(({ type, data }) => type === 'charge.failed' && data['reference'] === 'three'),
  );
  t.match(await charge('four', 100, { card }), { status: 201 });
});

test('the control endpoint sets the mode for the next requests', async (t) => {
  const { charge, client } = await setUp(t);
  t.match(await client.post('/v1/control', { mode: 'sideways' }), { status: 400 });
  t.match((await client.post('/v1/control', { mode: 'fail', count: 2 })).body, { mode: 'fail', count: 2 });
  t.match(await charge('a', 100), { status: 503 });
  t.match(await charge('b', 100), { status: 503 });
  t.match(await charge('c', 100), { status: 201 });
  t.match((await client.get('/v1/control')).body, { mode: 'ok' });
});

test('bad requests are refused with the rule they break', async (t) => {
  const { client } = await setUp(t);
  const good = { reference: 'r', amount: 1, currency: 'EUR' };
  for (const [change, message] of [
    [{ amount: 0 }, /amount/],
    [{ amount: 1.5 }, /amount/],
    [{ amount: '1' }, /amount/],
    [{ currency: 'eur' }, /currency/],
    [{ reference: '../x' }, /reference/],
    [{ description: 'x'.repeat(501) }, /description/],
    [{ card: {}, paymentMethodToken: 'x' }, /not both/],
  ] as const) {
    t.match(await post(client, '/v1/charges', { ...good, ...change }, 'k'), {
      status: 400,
      body: { error: { message } },
    });
  }
  t.match(await client.post('/v1/charges', good), { status: 400, body: { error: { message: /Idempotency-Key/ } } });
  t.match(await client.post('/v1/charges', '{', { headers: { 'idempotency-key': 'k' } }), { status: 400 });
  t.match(await client.get('/v2'), { status: 404, body: { error: { code: 'not_found' } } });
});

test('webhooks are tried again until they are taken', async (t) => {
  const { charge, receiver, client } = await setUp(t);
  receiver.refuse(2);
  await charge('late', 100);
  await until(() => receiver.received.length === 1);
  t.equal(receiver.attempts(), 3);
  await until(
    async () =>
      (await client.get<{ deliveries: { delivered: boolean }[] }>('/v1/deliveries')).body.deliveries[0]?.delivered,
  );
});

test('with an API key nothing under /v1 is anonymous', async (t) => {
  const sandbox = await createSandbox({ port: 0, apiKey: 'sesame' });
  t.teardown(sandbox.close);
  t.equal((await createJsonClient(sandbox.url).get('/v1/journal')).status, 401);
  t.equal((await createJsonClient(sandbox.url, { token: 'wrong!' }).get('/v1/journal')).status, 401);
  t.equal((await createJsonClient(sandbox.url, { token: 'sesame' }).get('/v1/journal')).status, 200);
  t.equal((await createJsonClient(sandbox.url).get('/readyz')).status, 200);
});
