import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebhookDeliveryState } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { until } from '@strongroom/testkit';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { retryDelayMs } from '../src/webhook-endpoint/webhook-endpoint.ts';
import { instantPayment, startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

interface Received {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** A merchant's server that answers with the statuses given, the last one for ever. */
async function startMerchant(t: Test, statuses: number[] = [200]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ body: Buffer.concat(chunks).toString(), headers: request.headers as Record<string, string> });
    const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:9/elsewhere' } : {}).end('thanks');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, statuses, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

t.test('B-hooks: a merchant gets each change once, signed, with the same bytes at every attempt', async (t) => {
  const fixture = await startPayments(t);
  const { connect, as } = fixture;
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const sender = fixture.auth.addPerson();
  const merchant = await startMerchant(t, [500, 302, 200]);
  const eventTypes = ['payment.completed'];
  const { secret, webhookEndpoint } = await connect.createWebhookEndpoint(
    { url: merchant.url, eventTypes },
    as(vendor),
  );
  const payment = await fixture.completedPayment(sender, vendor);
  await until(() => merchant.received.length === 3, { what: 'three attempts' });
  for (const { body, headers } of merchant.received) t.doesNotThrow(() => new Webhook(secret).verify(body, headers));
  t.equal(new Set(merchant.received.map(({ body }) => body)).size, 1, 'the same bytes');
  t.equal(new Set(merchant.received.map(({ headers }) => headers['webhook-id'])).size, 1, 'the same id');
  t.match(JSON.parse(merchant.received[0]?.body ?? ''), {
    type: 'payment.completed',
    data: { paymentId: payment.id, status: 'completed', minorUnits: '1050', currencyCode: 'EUR' },
  });
  t.notMatch(merchant.received[0]?.body, /Rent/, 'no text of a person');
  const id = webhookEndpoint?.id ?? '';
  const delivered = await until(async () => {
    const { deliveries } = await connect.listDeliveries({ id }, as(vendor));
    return deliveries[0]?.state === WebhookDeliveryState.DELIVERED ? deliveries : undefined;
  });
  t.equal(delivered.length, 1, 'only the type that was asked for');
  t.match(delivered[0], { attemptCount: 3, lastStatusCode: 200, lastError: '' });
  await connect.redeliver({ id, deliveryId: delivered[0]?.id ?? '' }, as(vendor));
  await until(() => merchant.received.length === 4);
  t.equal(merchant.received[3]?.headers['webhook-id'], delivered[0]?.id, 'sent again under the same id');
});

t.test('B-hooks: a new secret signs beside the old one', async (t) => {
  const fixture = await startPayments(t);
  const { connect, as } = fixture;
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const merchant = await startMerchant(t);
  const made = await connect.createWebhookEndpoint({ url: merchant.url }, as(vendor));
  const rotated = await connect.rotateSecret({ id: made.webhookEndpoint?.id ?? '' }, as(vendor));
  t.not(rotated.secret, made.secret);
  await fixture.completedPayment(fixture.auth.addPerson(), vendor);
  await until(() => merchant.received.length >= 2);
  const { body = '', headers = {} } = merchant.received[0] ?? {};
  for (const secret of [made.secret, rotated.secret]) t.doesNotThrow(() => new Webhook(secret).verify(body, headers));
  await fixture.superuser`update webhook_endpoints set previous_secret_until = now() - interval '1 second'`;
  const count = merchant.received.length;
  await fixture.completedPayment(fixture.auth.addPerson(), vendor);
  const late = await until(() => merchant.received[Math.max(count, merchant.received.length - 1)]);
  t.throws(() => new Webhook(made.secret).verify(late.body, late.headers), 'the old one has had its time');
});

t.test('B-hooks: given up after its attempts; off when the merchant says gone; nothing to others', async (t) => {
  const fixture = await startPayments(t, { variables: { WEBHOOK_ATTEMPTS_MAX: '2' } });
  const { connect, as } = fixture;
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const stranger = fixture.auth.addPerson({ role: 'VENDOR' });
  const broken = await startMerchant(t, [503]);
  const gone = await startMerchant(t, [410]);
  const foreign = await startMerchant(t);
  const eventTypes = ['payment.completed'];
  const first = await connect.createWebhookEndpoint({ url: broken.url, eventTypes }, as(vendor));
  const second = await connect.createWebhookEndpoint({ url: gone.url, eventTypes }, as(vendor));
  await connect.createWebhookEndpoint({ url: foreign.url }, as(stranger));
  await fixture.completedPayment(fixture.auth.addPerson(), vendor);
  const stateOf = async (id: string) => (await connect.listDeliveries({ id }, as(vendor))).deliveries[0];
  const failed = await until(async () => {
    const delivery = await stateOf(first.webhookEndpoint?.id ?? '');
    return delivery?.state === WebhookDeliveryState.FAILED ? delivery : undefined;
  });
  t.match(failed, { attemptCount: 2, lastStatusCode: 503 });
  const id = second.webhookEndpoint?.id ?? '';
  await until(async () => {
    const { webhookEndpoints } = await connect.listWebhookEndpoints({}, as(vendor));
    return webhookEndpoints.some((endpoint) => endpoint.id === id && !endpoint.enabled);
  });
  const deliveryId = (await stateOf(id))?.id ?? '';
  t.equal(await reasonOf(connect.redeliver({ id, deliveryId }, as(vendor))), 'WEBHOOK_ENDPOINT_DISABLED');
  t.same(foreign.received, [], 'a stranger hears nothing');
  await connect.deleteWebhookEndpoint({ id }, as(vendor));
  t.equal(await reasonOf(connect.listDeliveries({ id }, as(vendor))), 'WEBHOOK_ENDPOINT_NOT_FOUND');
});

t.test('B-hooks: what may not be registered', async (t) => {
  const fixture = await startPayments(t, { variables: { WEBHOOK_ALLOW_INSECURE_TARGETS: 'false' } });
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const add = (url: string, eventTypes: string[] = []) =>
    reasonOf(fixture.connect.createWebhookEndpoint({ url, eventTypes }, fixture.as(vendor, randomUUID())));
  for (const url of ['http://example.com/', 'https://127.0.0.1/', 'https://localhost/', 'https://u:p@example.com/']) {
    t.equal(await add(url), 'WEBHOOK_TARGET_REFUSED', url);
  }
  t.equal(await add('https://example.com/', ['payment.exploded']), 'WEBHOOK_EVENT_UNKNOWN');
  t.equal(await add('no address'), 'VALIDATION_FAILED');
  t.equal(await add('https://example.com/hook'), 'none');
  for (let index = 1; index < 20; index += 1) await add(`https://example.com/${index}`);
  t.equal(await add('https://example.com/one-more'), 'LIMIT_REACHED');
});

t.test('B-hooks: attempts grow apart, with jitter and a bound', (t) => {
  const firstMs = 5_000;
  t.equal(
    retryDelayMs(1, firstMs, () => 0.5),
    5_000,
  );
  t.equal(
    retryDelayMs(4, firstMs, () => 0.5),
    40_000,
  );
  t.equal(
    retryDelayMs(30, firstMs, () => 0.5),
    21_600_000,
  );
  t.equal(
    retryDelayMs(1, firstMs, () => 0),
    4_000,
  );
  t.equal(
    retryDelayMs(1, firstMs, () => 1),
    6_000,
  );
  t.end();
});

t.test('F35: a delivery whose worker dies after sending is sent again under the same id', async (t) => {
  const { setFailpoints } = await import('@strongroom/platform/process');
  t.teardown(() => setFailpoints(''));
  const fixture = await startPayments(t, { variables: { WEBHOOK_TIMEOUT_MS: '200' } });
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const merchant = await startMerchant(t);
  const eventTypes = ['payment.created'];
  await fixture.connect.createWebhookEndpoint({ url: merchant.url, eventTypes }, fixture.as(vendor));
  setFailpoints('payments.delivery.after-send=throw@1');
  await fixture.connect.createPayment(instantPayment(vendor), fixture.as(fixture.auth.addPerson(), 'one'));
  await until(() => merchant.received.length === 2);
  t.equal(new Set(merchant.received.map(({ headers }) => headers['webhook-id'])).size, 1);
});
