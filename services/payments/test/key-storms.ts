// A thousand requests with one key: what they are answered, and that there is one effect.
import { toBinary } from '@bufbuild/protobuf';
import { CreatePaymentResponseSchema } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import type { Test } from 'tap';
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
