// A thousand requests with one key: what they are answered, and that there is one effect.
import { toBinary } from '@bufbuild/protobuf';
import { CreatePaymentResponseSchema } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import type { Test } from 'tap';
import { Agent, request } from 'undici';
import { checkInvariants } from './invariants.ts';
import { instantPayment, type PaymentsFixture } from './payments-fixture.ts';

/** Sends `count` calls at once and tells what came of each. */
async function storm<T>(count: number, call: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)));
}

function reasons(results: readonly PromiseSettledResult<unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) {
    const fault = result.status === 'rejected' ? readServiceError(result.reason) : undefined;
    const reason = result.status === 'fulfilled' ? 'OK' : (fault?.reason ?? String(result.reason));
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** F19: `count` identical requests at once, over three protocols at two instances. */
export async function stormOfOne(t: Test, fixture: PaymentsFixture, count: number): Promise<void> {
  const { sender, recipient } = await fixture.pair();
  const clients = fixture.instances.flatMap(({ connectBinary, connect, grpc }) => [
    ...Array.from({ length: 8 }, () => connectBinary),
    connect,
    grpc,
  ]);
  const call = fixture.as(sender, 'storm');
  const results = await storm(count, (index) => {
    const client = clients[index % clients.length] ?? fixture.connect;
    return client.createPayment(instantPayment(recipient), call);
  });
  const counts = reasons(results);
  t.same(
    Object.keys(counts).filter((reason) => reason !== 'OK' && reason !== 'IDEMPOTENCY_IN_PROGRESS'),
    [],
    `no other answer: ${JSON.stringify(counts)}`,
  );
  const bodies = results.flatMap((result) =>
    result.status === 'fulfilled'
      ? [Buffer.from(toBinary(CreatePaymentResponseSchema, result.value)).toString('hex')]
      : [],
  );
  t.equal(new Set(bodies).size, 1, 'all bodies are the same bytes');
  const payments = await fixture.superuser`select id from payments where sender_id = ${sender.id}`;
  t.equal(payments.length, 1);
  const effects = () => fixture.sandbox.journal(String(payments[0]?.['id'])).map(({ kind }) => kind);
  await until(() => effects().includes('charge-completed'));
  t.equal(effects().filter((kind) => kind === 'charge').length, 1, 'one effect at the provider');
  for (const client of clients)
    t.same((await client.createPayment(instantPayment(recipient), call)).payment?.id, payments[0]?.['id']);
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
}

/** F20: `count` requests of two bodies with one key. */
export async function stormOfTwo(t: Test, fixture: PaymentsFixture, count: number): Promise<void> {
  const { sender, recipient } = await fixture.pair();
  const call = fixture.as(sender, 'race');
  const results = await storm(count, (index) => {
    const client = fixture.instances[index % 2]?.connect ?? fixture.connect;
    return client.createPayment(instantPayment(recipient, index % 4 < 2 ? 1_000n : 2_000n), call);
  });
  const amounts = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value.payment?.amount?.minorUnits] : [],
  );
  t.equal(new Set(amounts).size, 1, 'one body won');
  const counts = reasons(results);
  const known = ['OK', 'IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'];
  t.same(
    Object.keys(counts).filter((reason) => !known.includes(reason)),
    [],
    JSON.stringify(counts),
  );
  t.ok((counts['IDEMPOTENCY_KEY_REUSED'] ?? 0) > 0);
  const payments = await fixture.superuser`select id from payments where sender_id = ${sender.id}`;
  t.equal(payments.length, 1);
}

interface RestAnswer {
  readonly status: number;
  readonly retryAfter: string;
  readonly isReplayed: boolean;
  readonly text: string;
}

/** By undici's bare requests: a thousand of fetch would keep this process, in which the service runs too, busy for seconds. */
async function restStorm(
  url: string,
  headers: Record<string, string>,
  bodies: readonly object[],
): Promise<RestAnswer[]> {
  const agent = new Agent({ connections: bodies.length });
  const answers = bodies.map(async (body) => {
    const answer = await request(`${url}/api/v1/payments`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher: agent,
    });
    return {
      status: answer.statusCode,
      retryAfter: String(answer.headers['retry-after']),
      isReplayed: answer.headers['idempotency-replayed'] === 'true',
      text: await answer.body.text(),
    };
  });
  return Promise.all(answers).finally(() => agent.close());
}

function restPayment(recipient: { readonly id: string }, minorUnits = '1050') {
  const amount = { currencyCode: 'EUR', minorUnits };
  return { type: 'PAYMENT_TYPE_INSTANT', amount, recipientId: recipient.id, description: 'Rent, November' };
}

function statusesOf(answers: readonly RestAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** F19 as a client of the edge sees it: each answer is the 201, the same bytes again, or 409 with a time to wait. */
export async function restStormOfOne(t: Test, fixture: PaymentsFixture, url: string, count: number): Promise<void> {
  const { sender, recipient } = await fixture.pair();
  const { headers } = fixture.as(sender, 'storm');
  const body = restPayment(recipient);
  // Connections, caches and compiled code are there, as they are where a thousand clients come from.
  await restStorm(url, fixture.as(sender, 'before').headers, [restPayment(recipient, '7')]);
  const answers = await restStorm(
    url,
    headers,
    Array.from({ length: count }, () => body),
  );
  const counts = statusesOf(answers);
  t.comment(counts);
  t.same(
    Object.keys(counts).filter((status) => !['201', '409'].includes(status)),
    [],
    JSON.stringify(counts),
  );
  t.ok(
    answers.every(({ status, retryAfter }) => status === 201 || Number(retryAfter) > 0),
    'a 409 says when',
  );
  const made = answers.filter(({ status }) => status === 201);
  t.equal(made.filter(({ isReplayed }) => !isReplayed).length, 1, 'one is the first');
  // When it has settled, ten more.
  const replays = await restStorm(
    url,
    headers,
    Array.from({ length: 10 }, () => body),
  );
  t.ok(replays.every(({ status, isReplayed }) => status === 201 && isReplayed));
  t.equal(new Set([...made, ...replays].map(({ text }) => text)).size, 1, 'all bodies are the same bytes');
  const payments = await fixture.superuser`
    select id from payments where sender_id = ${sender.id} and minor_units = 1050`;
  t.equal(payments.length, 1);
  const effects = () => fixture.sandbox.journal(String(payments[0]?.['id'])).map(({ kind }) => kind);
  await until(() => effects().includes('charge-completed'));
  t.equal(effects().filter((kind) => kind === 'charge').length, 1, 'one effect at the provider');
}

/** F20 at the edge. */
export async function restStormOfTwo(t: Test, fixture: PaymentsFixture, url: string, count: number): Promise<void> {
  const { sender, recipient } = await fixture.pair();
  const { headers } = fixture.as(sender, 'race');
  const amounts = ['1000', '2000'];
  const bodies = Array.from({ length: count }, (_, index) => restPayment(recipient, amounts[index % 2]));
  const answers = await restStorm(url, headers, bodies);
  const counts = statusesOf(answers);
  t.comment(counts);
  t.same(
    Object.keys(counts).filter((status) => !['201', '409', '422'].includes(status)),
    [],
    JSON.stringify(counts),
  );
  const won = answers.flatMap(({ status }, index) => (status === 201 ? [index % 2] : []));
  t.equal(new Set(won).size, 1, 'one body won');
  const lost = answers.filter(({ status }, index) => index % 2 !== won[0] && status !== 422 && status !== 409);
  t.same(lost, [], 'all of the other are refused');
  t.ok((counts['422'] ?? 0) > 0);
  const payments = await fixture.superuser`select id from payments where sender_id = ${sender.id}`;
  t.equal(payments.length, 1);
}
