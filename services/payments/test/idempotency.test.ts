import { randomBytes, randomUUID } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { reencryptColumn, sealedColumns } from '@strongroom/platform/crypto';
import { readServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { stormOfOne, stormOfTwo } from './key-storms.ts';
import { instantPayment, startInstance, startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

/** A thousand, as F19 and F20 have it, are in tests/chaos. */
const stormCount = 150;
const fixture = await startPayments(t, { instances: 2, variables: { IDEMPOTENCY_LEASE_MS: '700' } });

t.test('F19, fault 25: identical requests at two instances are one payment, and every answer is its', (t) =>
  stormOfOne(t, fixture, stormCount),
);

t.test('F20: two bodies race for one key: one wins, all of the other are refused', (t) =>
  stormOfTwo(t, fixture, stormCount),
);

t.test('F21: a key belongs to one person and one method', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const other = fixture.auth.addPerson();
  const first = await fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, 'same'));
  const second = await fixture.connect.createPayment(instantPayment(recipient), fixture.as(other, 'same'));
  t.not(first.payment?.id, second.payment?.id);
  t.equal(second.payment?.senderId, other.id, 'nobody is told what another was answered');
  const paid = await fixture.completedPayment(sender, recipient);
  const refund = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 1n } };
  const { refund: made } = await fixture.connect.refundPayment(refund, fixture.as(recipient, 'same'));
  t.ok(made?.id, 'the same key at another method is another key');
});

t.test('B-idem: a key is free again after a refusal, and nothing is stored for one', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as, superuser } = fixture;
  const key = randomUUID();
  const unknown = { ...instantPayment(recipient), recipientId: randomUUID() };
  t.equal(await reasonOf(connect.createPayment(unknown, as(sender, key))), 'RECIPIENT_NOT_FOUND');
  t.equal(await reasonOf(connect.createPayment(instantPayment(sender), as(sender, key))), 'SELF_PAYMENT');
  t.equal(await reasonOf(connect.createPayment(instantPayment(recipient, 0n), as(sender, key))), 'VALIDATION_FAILED');
  t.same([...(await superuser`select * from idempotency_keys where user_id = ${sender.id}`)], []);
  t.equal(await reasonOf(connect.createPayment(instantPayment(recipient), as(sender, key))), 'none');
  t.equal(await reasonOf(connect.createPayment(instantPayment(recipient), as(sender))), 'IDEMPOTENCY_KEY_REQUIRED');
});

t.test('B-idem: a repetition is answered also when its recipient is gone', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const call = fixture.as(sender, 'gone');
  const first = await fixture.connect.createPayment(instantPayment(recipient), call);
  fixture.auth.deactivate(recipient.id);
  t.same(await fixture.connect.createPayment(instantPayment(recipient), call), first);
  t.equal(await reasonOf(fixture.connect.createPayment(instantPayment(recipient, 7n), call)), 'IDEMPOTENCY_KEY_REUSED');
});

t.test('B-idem: while the first runs, the second is told when to come back', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const held = await fixture.superuser.reserve();
  try {
    // The lock is what a transaction in progress holds; its number is only known by taking it in the statement's way.
    const call = fixture.as(sender, 'held');
    await fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, 'other'));
    const { keyUseOf } = await import('../src/idempotency/idempotent.ts');
    const { PaymentsService } = await import('@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts');
    const { create } = await import('@bufbuild/protobuf');
    const { CreatePaymentRequestSchema } = await import('@strongroom/gen/strongroom/payments/v1/payment_pb.ts');
    const use = keyUseOf(fixture.deps, create(CreatePaymentRequestSchema, instantPayment(recipient)), {
      idempotencyKey: 'held',
      principal: { userId: sender.id },
      method: PaymentsService.method.createPayment,
    } as never);
    await held`select pg_advisory_lock(${String(use?.lock)}::bigint)`;
    const error = await fixture.connect.createPayment(instantPayment(recipient), call).catch((cause) => cause);
    t.ok(error instanceof ConnectError);
    const fault = readServiceError(error);
    t.equal(fault?.reason, 'IDEMPOTENCY_IN_PROGRESS');
    t.equal(fault?.status, 409);
    t.ok((fault?.retryAfterMs ?? 0) > 0, 'RetryInfo says when');
    await held`select pg_advisory_unlock_all()`;
    t.equal(await reasonOf(fixture.connect.createPayment(instantPayment(recipient), call)), 'none');
  } finally {
    held.release();
  }
});

t.test('B-idem: stored answers are sealed, keys hashed, and both count for more than a day', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const request = { ...instantPayment(recipient), description: 'canary-description' };
  await fixture.connect.createPayment(request, fixture.as(sender, 'canary-key'));
  const [row] = await fixture.superuser`
    select encode(key_hash, 'escape') || encode(response, 'escape') || encode(request_hash, 'escape') as text,
      expire_time - create_time > interval '24 hours' as long from idempotency_keys where user_id = ${sender.id}`;
  t.notMatch(row?.['text'], /canary/);
  t.equal(row?.['long'], true);
});

t.test(
  'F22: a crashed owner leaves a lease: 409 while it lasts, then taken over, and its fence is shut out',
  async (t) => {
    const person = fixture.auth.addPerson();
    const card = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' };
    const request = { method: { case: 'card', value: card } } as const;
    fixture.sandbox.control({ mode: 'ok' });
    const { setFailpoints } = await import('@strongroom/platform/process');
    setFailpoints('payments.add-payment-method.after-claim=delay:1500@1');
    t.teardown(() => setFailpoints(''));
    const hanging = reasonOf(fixture.connect.addPaymentMethod(request, fixture.as(person, 'card')));
    await until(
      async () => (await fixture.superuser`select 1 from idempotency_keys where user_id = ${person.id}`).length === 1,
    );
    t.equal(
      await reasonOf(fixture.grpc.addPaymentMethod(request, fixture.as(person, 'card'))),
      'IDEMPOTENCY_IN_PROGRESS',
    );
    const taken = await until(() => fixture.grpc.addPaymentMethod(request, fixture.as(person, 'card')));
    t.equal(taken.paymentMethod?.last4, '4242');
    t.match(await hanging, /IDEMPOTENCY_IN_PROGRESS|PAYMENT_METHOD_EXISTS/, 'who was taken over adds nothing');
    const again = await fixture.connect.addPaymentMethod(request, fixture.as(person, 'card'));
    t.same(again, taken, 'and the answer stands');
    const rows = await fixture.superuser`select id from payment_methods where user_id = ${person.id}`;
    t.equal(rows.length, 1);
  },
);

t.test(
  'F32, B-idem: a key means the same after the master key has changed, and after the older one is gone',
  async (t) => {
    const { sender, recipient } = await fixture.pair();
    const request = instantPayment(recipient);
    const call = fixture.as(sender, 'rotated');
    const first = await fixture.connect.createPayment(request, call);
    const paid = await fixture.completedPayment(sender, recipient);
    const refund = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 1n } };
    const refunded = await fixture.connect.refundPayment(refund, fixture.as(recipient, 'rotated'));

    const { ENCRYPTION_KEY_ID: olderId, ENCRYPTION_MASTER_KEY: olderKey } = fixture.config;
    const newer = { ENCRYPTION_KEY_ID: 'newer', ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex') };
    const previous = { ENCRYPTION_PREVIOUS_KEYS: `${olderId}:${olderKey.reveal()}` };
    const replays = async (variables: Record<string, string>) => {
      const around = { ...fixture, variables: { ...fixture.variables, ...variables } };
      const instance = await startInstance(around, { workers: false });
      const replayed = await instance.connect.createPayment(request, call);
      const again = await instance.grpc.refundPayment(refund, fixture.as(recipient, 'rotated'));
      const other = await reasonOf(instance.connect.createPayment(instantPayment(recipient, 7n), call));
      await instance.close();
      return { replayed, again, other, keyring: instance.deps.keyring };
    };
    const expected = { replayed: first, again: refunded, other: 'IDEMPOTENCY_KEY_REUSED' };
    const { keyring, ...rotated } = await replays({ ...newer, ...previous });
    t.strictSame(rotated, expected, 'both keys are in the ring');
    for (const column of sealedColumns.payments.filter(({ table }) => table === 'idempotency_keys')) {
      const { left, damaged } = await reencryptColumn({ sql: fixture.superuser, keyring, column });
      t.strictSame({ left, damaged }, { left: 0, damaged: 0 }, column.column);
    }
    const { keyring: _, ...alone } = await replays(newer);
    t.strictSame(alone, expected, 'the older key is gone');
  },
);
