import { randomUUID } from 'node:crypto';
import { PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { RefundStatus } from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { type TestToken, until } from '@strongroom/testkit';
import t from 'tap';
import { instantPayment, startPayments, waitForStatus } from './payments-fixture.ts';

t.test('contract: create, webhook, refund, balances', async (t) => {
  const fixture = await startPayments(t);
  const { connect, as, superuser } = fixture;
  const { sender, recipient } = await fixture.pair();
  const { payment } = await connect.createPayment(instantPayment(recipient), as(sender, 'k-1'));
  t.equal(payment?.status, PaymentStatus.PENDING);
  t.equal(payment?.etag, 'v1');
  const completed = await waitForStatus(connect, as(recipient), payment?.id ?? '', 'completed');
  t.ok(completed.completeTime);
  t.same(
    completed.changes.map(({ toStatus }) => toStatus).filter((status, index, all) => status !== all[index - 1]),
    [PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.COMPLETED],
  );
  const { refund } = await connect.refundPayment(
    { id: completed.id, amount: { currencyCode: 'EUR', minorUnits: 400n }, reason: 'partly' },
    as(recipient, 'r-1'),
  );
  t.equal(refund?.status, RefundStatus.PROCESSING);
  const refunded = await waitForStatus(connect, as(sender), completed.id, 'partially_refunded');
  t.equal(refunded.refundedAmount?.minorUnits, 400n);
  const { refunds } = await connect.listRefunds({ id: completed.id }, as(sender));
  t.same(
    refunds.map(({ status }) => status),
    [RefundStatus.COMPLETED],
  );
  const { balances } = await connect.getBalances({}, as(recipient));
  t.same(
    balances.map(({ account, currencyCode, minorUnits }) => ({ account, currencyCode, minorUnits })),
    [{ account: 'user', currencyCode: 'EUR', minorUnits: 650n }],
  );
  const { entries } = await connect.listLedgerEntries({}, as(recipient));
  t.same(
    entries.map(({ minorUnits }) => minorUnits),
    [-400n, 1050n],
  );
  const admin = fixture.auth.addPerson({ role: 'ADMIN' });
  t.equal((await connect.getBalances({}, as(admin))).balanced, true);
  const { payments } = await connect.listPayments({}, as(sender));
  t.equal(payments.length, 1);
  const events = await superuser`select name from strongroom.outbox where name like 'PAYMENT%' order by order_id`;
  t.same(
    events.map(({ name }) => name),
    ['PAYMENT_CREATED', 'PAYMENT_COMPLETED', 'PAYMENT_UPDATED', 'PAYMENT_REFUNDED'],
  );
});

t.test(
  'ASVS V7.5.3: a large payment needs a recent authentication, when it is made and when it is edited',
  async (t) => {
    const fixture = await startPayments(t, { workers: false });
    const { connect, tokens } = fixture;
    const { sender, recipient } = await fixture.pair();
    const as = (claims: Partial<TestToken>) => ({
      headers: {
        authorization: `Bearer ${tokens.token({ userId: sender.id, ...claims })}`,
        'idempotency-key': randomUUID(),
      },
    });
    const stale = { authenticationAgeS: 940 };
    const needed = { reason: 'STEP_UP_REQUIRED' };
    const large = instantPayment(recipient, 1_000_001n);
    const refusal = (promise: Promise<unknown>) => promise.then(() => undefined, readServiceError);
    t.match(await refusal(connect.createPayment(large, as(stale))), needed);
    t.match(await refusal(connect.createPayment(instantPayment(recipient, 10_001n, 'JPY'), as(stale))), needed);
    t.match(
      await refusal(connect.createPayment(large, as({ claims: { mfe: true } }))),
      needed,
      'without the second factor',
    );
    t.ok(await connect.createPayment(large, as({})));
    const { payment } = await connect.createPayment(instantPayment(recipient, 1_000_000n), as(stale));
    const edit = { id: payment?.id ?? '', etag: payment?.etag ?? '', amount: large.amount };
    t.match(await refusal(connect.updatePayment(edit, as(stale))), needed);
    t.ok(await connect.updatePayment(edit, as({})));
  },
);

t.test('ASVS V7.5.3: a currency may have a bound of its own, in its minor units', async (t) => {
  const variables = { STEP_UP_AMOUNT: '100', STEP_UP_AMOUNTS: 'JPY=15000,KWD=5000,USD=0' };
  const { connect, tokens, pair } = await startPayments(t, { workers: false, variables });
  const { sender, recipient } = await pair();
  const authorization = `Bearer ${tokens.token({ userId: sender.id, authenticationAgeS: 940 })}`;
  const isAsked = async (minorUnits: bigint, currencyCode: string) => {
    const headers = { authorization, 'idempotency-key': randomUUID() };
    const request = instantPayment(recipient, minorUnits, currencyCode);
    const refusal = await connect.createPayment(request, { headers }).then(() => undefined, readServiceError);
    return refusal?.reason === 'STEP_UP_REQUIRED';
  };
  t.same([await isAsked(15_000n, 'JPY'), await isAsked(15_001n, 'JPY')], [false, true]);
  t.same([await isAsked(5_000n, 'KWD'), await isAsked(5_010n, 'KWD')], [false, true]);
  t.same([await isAsked(10_000n, 'EUR'), await isAsked(10_001n, 'EUR')], [false, true], 'all others by STEP_UP_AMOUNT');
  t.notOk(await isAsked(900_000_000n, 'USD'), '0: none');
});

t.test('B-idem: the same key gives the same bytes over every protocol', async (t) => {
  const fixture = await startPayments(t);
  const { connect, connectBinary, grpc, as } = fixture;
  const { sender, recipient } = await fixture.pair();
  const key = randomUUID();
  const request = { ...instantPayment(recipient), metadata: { b: '2', a: '1' } };
  const first = await connect.createPayment(request, as(sender, key));
  await waitForStatus(connect, as(sender), first.payment?.id ?? '', 'completed');
  for (const client of [connect, connectBinary, grpc]) {
    let replayed: string | null = null;
    const again = await client.createPayment(
      { ...request, metadata: { a: '1', b: '2' }, requestId: key },
      { ...as(sender), onHeader: (headers) => (replayed = headers.get('idempotency-replayed')) },
    );
    t.same(again, first);
    t.equal(replayed, 'true');
  }
  await t.rejects(
    connect.createPayment(instantPayment(recipient, 2_000n), as(sender, key)),
    /used for another request/,
  );
  await until(async () => fixture.sandbox.journal().filter(({ kind }) => kind === 'charge').length === 1);
});
