// F34 and F36: what the provider does wrong, and a worker that stops in the middle.
import { createHash, randomUUID } from 'node:crypto';
import { setFailpoints } from '@strongroom/platform/process';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { checkInvariants } from './invariants.ts';
import { instantPayment, startPayments, waitForStatus } from './payments-fixture.ts';

const fixture = await startPayments(t, { instances: 2 });

/** By the last four digits of the amount (README of psp-sandbox), and how the payment must end. */
const outcomes = [
  [9_901n, 'failed', 'declined by webhook'],
  [9_902n, 'completed', 'never answered, no webhook'],
  [9_903n, 'completed', 'answered after the deadline'],
  [9_904n, 'completed', '500 after the effect'],
  [9_907n, 'failed', 'declined in the answer'],
  [9_908n, 'completed', 'completed in the answer'],
  [9_910n, 'completed', 'no webhook'],
  [9_912n, 'completed', 'never answered, without effect'],
  [9_914n, 'completed', '500 without effect'],
] as const;

t.test('F36: whatever the provider answers, the payment ends as the provider says', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const ended = outcomes.map(async ([amount, status, what]) => {
    const { payment } = await connect.createPayment(instantPayment(recipient, amount), as(sender, randomUUID()));
    const found = await waitForStatus(connect, as(sender), payment?.id ?? '', status);
    t.equal(fixture.sandbox.journal(found.id).filter(({ kind }) => kind === 'charge').length, 1, `${what}: one effect`);
    if (status === 'failed')
      t.ok(found.failureCode !== '' && found.completeTime === undefined, `${what}: with a reason`);
  });
  await Promise.all(ended);
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
});

t.test(
  'F36: a provider that is down leaves payments processing, never failed; they go on when it is back',
  async (t) => {
    const { sender, recipient } = await fixture.pair();
    const { connect, as, sandbox } = fixture;
    sandbox.control({ mode: 'fail' });
    const made = await Promise.all(
      Array.from({ length: 12 }, () => connect.createPayment(instantPayment(recipient), as(sender, randomUUID()))),
    );
    const ids = made.map(({ payment }) => payment?.id ?? '');
    for (const id of ids) await waitForStatus(connect, as(sender), id, 'processing');
    await until(async () => (await fixture.metrics.value('circuit_breaker_state', { name: 'psp' })) > 0, {
      what: 'the breaker being open',
    });
    const states = await fixture.superuser`select distinct status from payments where sender_id = ${sender.id}`;
    t.same(
      states.map(({ status }) => status),
      ['processing'],
    );
    sandbox.control({ mode: 'ok' });
    for (const id of ids) await waitForStatus(connect, as(sender), id, 'completed');
    await until(async () => (await checkInvariants(fixture.superuser, sandbox)).length === 0);
  },
);

t.test('F36: refunds meet the same faults', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as, sandbox } = fixture;
  for (const mode of ['timeout', 'error-after-effect', 'error-before-effect', 'lost-webhook'] as const) {
    sandbox.control({ mode: 'ok' });
    const paid = await fixture.completedPayment(sender, recipient);
    sandbox.control({ mode, count: 1 });
    const amount = { currencyCode: 'EUR', minorUnits: 50n };
    await connect.refundPayment({ id: paid.id, amount }, as(recipient, `refund-${mode}`));
    await waitForStatus(connect, as(sender), paid.id, 'partially_refunded');
  }
  const paid = await fixture.completedPayment(sender, recipient);
  sandbox.control({ mode: 'decline', count: 1 });
  const { refund } = await connect.refundPayment({ id: paid.id }, as(recipient, 'declined'));
  await until(async () => {
    const { refunds } = await connect.listRefunds({ id: paid.id }, as(sender));
    return refunds.find(({ id, status }) => id === refund?.id && status === 3);
  });
  const { refund: second } = await connect.refundPayment({ id: paid.id }, as(recipient, 'again'));
  t.equal(second?.amount?.minorUnits, 1_050n, 'a failed refund gives its amount back');
  await waitForStatus(connect, as(sender), paid.id, 'refunded');
  await until(async () => (await checkInvariants(fixture.superuser, sandbox)).length === 0);
});

t.test('F37: storms on one payment: refunds never exceed it, nobody sees a 500', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const paid = await fixture.completedPayment(sender, recipient, 1_000n);
  const amount = { currencyCode: 'EUR', minorUnits: 70n };
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) =>
      (fixture.instances[index % 2] ?? fixture).connect.refundPayment(
        { id: paid.id, amount },
        fixture.as(recipient, `storm-${index}`),
      ),
    ),
  );
  const given = results.filter(({ status }) => status === 'fulfilled').length;
  t.equal(given, 14, '14 × 70 of 1000');
  for (const result of results) {
    if (result.status === 'rejected') t.match(result.reason.message, /More than what is left/);
  }
  await until(async () => {
    const { payment } = await fixture.connect.getPayment({ id: paid.id }, fixture.as(sender));
    return payment?.refundedAmount?.minorUnits === 980n;
  });
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
});

t.test('F37: locks taken in the opposite order cost a retry, and nobody sees a 500', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as, superuser } = fixture;
  const paid = await fixture.completedPayment(sender, recipient);
  const request = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 5n } };
  const before = await fixture.metrics.value('db_transaction_retries_total', { database: 'payments' });
  let refunded: Promise<unknown> | undefined;
  await superuser.begin(async (other) => {
    // The service is the one whom the database finds in the deadlock.
    await other`set local deadlock_timeout = '30s'`;
    await other`select 1 from payments where id = ${paid.id} for update`;
    refunded = connect.refundPayment(request, as(recipient, 'crossed'));
    refunded.catch(() => undefined);
    await until(async () => (await superuser`select 1 from pg_locks where not granted`).length > 0);
    // It holds its key and waits for the payment; this holds the payment and waits for its key.
    const key = createHash('sha256').update('crossed').digest();
    await other`
      insert into idempotency_keys (user_id, method, key_hash, request_hash, response, expire_time)
      values (${recipient.id}, 'RefundPayment', ${key}, ${key}, '', now() + interval '2 days')`;
    await other`delete from idempotency_keys where key_hash = ${key}`;
  });
  t.match(await refunded, { refund: { amount: { minorUnits: 5n } } });
  t.equal((await fixture.metrics.value('db_transaction_retries_total', { database: 'payments' })) - before, 1);
  await waitForStatus(connect, as(sender), paid.id, 'partially_refunded');
  await until(async () => (await checkInvariants(superuser, fixture.sandbox)).length === 0);
});

t.test('F34: a worker that stops past its lease and goes on has no second effect', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  t.teardown(() => setFailpoints(''));
  // Only the first hit waits: that worker's lease runs out, the other instance takes the task over meanwhile.
  for (const step of ['before-psp', 'after-psp']) {
    setFailpoints(`payments.charge.${step}=delay:2500@1`);
    const { payment } = await connect.createPayment(instantPayment(recipient), as(sender, `zombie-${step}`));
    const done = await waitForStatus(connect, as(sender), payment?.id ?? '', 'completed');
    await until(async () => (await fixture.superuser`select 1 from psp_tasks where id = ${done.id}`).length === 0);
    t.equal(fixture.sandbox.journal(done.id).filter(({ kind }) => kind === 'charge').length, 1, `${step}: one effect`);
  }
  await Promise.all(fixture.instances.map(({ workers }) => workers.stop()));
  t.same(await checkInvariants(fixture.superuser, fixture.sandbox), [], 'also after the zombies have gone on');
});
