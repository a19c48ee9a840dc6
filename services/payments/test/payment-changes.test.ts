// UpdatePayment, CancelPayment and SetPaymentStatus, and the faults 22 to 25 of the older system.
import { randomUUID } from 'node:crypto';
import { PaymentStatus, PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { until } from '@strongroom/testkit';
import t from 'tap';
import type { Person } from './auth-upstream.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, type PaymentsFixture, startPayments, waitForStatus } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

const fixture = await startPayments(t, { instances: 2 });

async function pendingPayment({ connect, as }: PaymentsFixture, sender: Person, recipient: Person) {
  const scheduledAt = { seconds: BigInt(Math.floor(Date.now() / 1_000) + 86_400), nanos: 0 };
  const request = { ...instantPayment(recipient), type: PaymentType.SCHEDULED, scheduledAt };
  const { payment } = await connect.createPayment(request, as(sender, randomUUID()));
  return payment?.id ?? '';
}

t.test('faults 22, 23: an edit says what changed, who did it, and which version it made', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const other = fixture.auth.addPerson();
  const { connect, as } = fixture;
  const id = await pendingPayment(fixture, sender, recipient);
  const edit = {
    id,
    etag: '"v1"',
    amount: { currencyCode: 'EUR', minorUnits: 77n },
    recipientEmail: other.email,
    description: 'Rent, December',
    metadata: { order: '7' },
  };
  const { payment } = await connect.updatePayment(edit, as(sender, 'edit'));
  t.match(payment, { etag: 'v2', recipientId: other.id, description: 'Rent, December', metadata: { order: '7' } });
  t.same((await connect.updatePayment(edit, as(sender, 'edit'))).payment, payment, 'the repetition is answered alike');
  const { payment: read } = await connect.getPayment({ id }, as(sender));
  t.match(read?.changes.at(-1), {
    actorId: sender.id,
    actorKind: 'user',
    version: 2n,
    changedFields: ['amount', 'description', 'metadata', 'recipient_id'],
  });
  t.equal(read?.changes.length, 2, 'a repeated edit is no second change');
  t.equal(await reasonOf(connect.getPayment({ id }, as(recipient))), 'PAYMENT_NOT_FOUND', 'the old recipient is out');
  const { payment: same } = await connect.updatePayment({ id, description: 'Rent, December' }, as(sender));
  t.equal(same?.etag, 'v2', 'nothing changed, no version');
  const events = await fixture.superuser`
    select 1 from strongroom.outbox where name = 'PAYMENT_UPDATED' and position(convert_to(${id}, 'UTF8') in payload) > 0`;
  t.equal(events.length, 1, 'and the audit log is told (fault 23)');
  const update = (fields: object) => reasonOf(connect.updatePayment({ id, ...fields }, as(sender)));
  t.equal(await update({ etag: 'v1', description: 'x' }), 'ETAG_MISMATCH');
  t.equal(await update({ amount: { currencyCode: 'USD', minorUnits: 7n } }), 'CURRENCY_IMMUTABLE');
  t.equal(await update({ recipientId: sender.id }), 'SELF_PAYMENT');
  t.equal(await update({ recipientId: randomUUID() }), 'RECIPIENT_NOT_FOUND');
  await connect.cancelPayment({ id }, as(sender));
  t.equal(await update({ description: 'x' }), 'PAYMENT_NOT_PENDING', 'not after it was withdrawn');
  const paid = await fixture.completedPayment(sender, recipient);
  const edited = connect.updatePayment({ id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 1n } }, as(sender));
  t.equal(await reasonOf(edited), 'PAYMENT_NOT_PENDING');
});

t.test(
  'B-idem: a repetition is answered from what is stored, whatever has become of payment and recipient',
  async (t) => {
    const { sender, recipient } = await fixture.pair();
    const heir = fixture.auth.addPerson();
    const admin = fixture.auth.addPerson({ role: 'ADMIN' });
    const { connect, as } = fixture;
    const id = await pendingPayment(fixture, sender, recipient);
    const edit = { id, recipientId: heir.id };
    const edited = await connect.updatePayment(edit, as(sender, 'edit'));
    fixture.auth.deactivate(heir.id);
    const asked = fixture.auth.counts.get('getUsers');
    t.same(await connect.updatePayment(edit, as(sender, 'edit')), edited);
    t.equal(fixture.auth.counts.get('getUsers'), asked, 'auth is not asked again');
    const submit = { id, status: PaymentStatus.PROCESSING };
    const submitted = await connect.setPaymentStatus(submit, as(admin, 'submit'));
    await waitForStatus(connect, as(sender), id, 'completed');
    t.same(await connect.setPaymentStatus(submit, as(admin, 'submit')), submitted, 'though it is no step any more');
  },
);

t.test('fault 24: of twenty changes of one version, one succeeds', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const id = await pendingPayment(fixture, sender, recipient);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const client = fixture.instances[index % 2]?.connect ?? fixture.connect;
      return reasonOf(
        index % 4 === 0
          ? client.cancelPayment({ id, etag: 'v1' }, fixture.as(sender))
          : client.updatePayment({ id, etag: 'v1', description: `edit ${index}` }, fixture.as(sender)),
      );
    }),
  );
  t.equal(results.filter((reason) => reason === 'none').length, 1, JSON.stringify(results));
  t.same(await checkInvariants(fixture.superuser, fixture.sandbox), []);
});

t.test('contract: its sender cancels while it is pending, nobody once it is final', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const admin = fixture.auth.addPerson({ role: 'ADMIN' });
  const { connect, as } = fixture;
  const id = await pendingPayment(fixture, sender, recipient);
  t.equal(await reasonOf(connect.cancelPayment({ id }, as(recipient))), 'FORBIDDEN');
  const { payment } = await connect.cancelPayment({ id, reason: 'mistake' }, as(sender));
  t.equal(payment?.status, PaymentStatus.CANCELLED);
  t.equal(payment?.completeTime, undefined);
  const paid = await fixture.completedPayment(sender, recipient);
  for (const [who, target] of [
    [sender, id],
    [sender, paid.id],
    [admin, id],
    [admin, paid.id],
  ] as const) {
    t.equal(await reasonOf(connect.cancelPayment({ id: target }, as(who))), 'PAYMENT_NOT_CANCELLABLE');
  }
  t.same(await checkInvariants(fixture.superuser, fixture.sandbox), []);
});

t.test('contract: an administrator cancels what the provider never had, and never what it has taken', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const admin = fixture.auth.addPerson({ role: 'ADMIN' });
  const { connect, as } = fixture;
  // 9909: refused with 503, never an effect. 9910: taken, but no webhook tells.
  const untaken =
    (await connect.createPayment(instantPayment(recipient, 9_909n), as(sender, 'untaken'))).payment?.id ?? '';
  await waitForStatus(connect, as(sender), untaken, 'processing');
  t.equal(
    await reasonOf(connect.cancelPayment({ id: untaken }, as(sender))),
    'PAYMENT_NOT_CANCELLABLE',
    'not its sender',
  );
  await until(async () => (await reasonOf(connect.cancelPayment({ id: untaken }, as(admin)))) === 'none');
  await waitForStatus(connect, as(sender), untaken, 'cancelled');
  const other = await startPayments(t, { variables: { PSP_RECONCILE_MS: '200000' } });
  const people = await other.pair();
  const chief = other.auth.addPerson({ role: 'ADMIN' });
  const request = instantPayment(people.recipient, 9_910n);
  const taken = (await other.connect.createPayment(request, other.as(people.sender, 'taken'))).payment?.id ?? '';
  await until(() => other.sandbox.journal(taken).some(({ kind }) => kind === 'charge-completed'));
  await waitForStatus(other.connect, other.as(people.sender), taken, 'processing');
  t.equal(await reasonOf(other.connect.cancelPayment({ id: taken }, other.as(chief))), 'PAYMENT_NOT_CANCELLABLE');
  const set = (status: PaymentStatus) =>
    reasonOf(other.connect.setPaymentStatus({ id: taken, status }, other.as(chief)));
  t.equal(await set(PaymentStatus.FAILED), 'OUTCOME_DIFFERS', 'never failed while it is paid');
  t.equal(await set(PaymentStatus.REFUNDED), 'ILLEGAL_TRANSITION');
  t.equal(await set(PaymentStatus.PENDING), 'ILLEGAL_TRANSITION', 'never back');
  t.equal(await set(PaymentStatus.COMPLETED), 'none', 'what the provider says is taken over');
  const { payment } = await other.connect.getPayment({ id: taken }, other.as(people.sender));
  t.match(payment?.changes.at(-1), { actorId: chief.id, actorKind: 'user', toStatus: PaymentStatus.COMPLETED });
  t.same(await checkInvariants(other.superuser, other.sandbox), []);
});

t.test('fault 22: an administrator moves along the graph alone, with a reason that is kept', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const admin = fixture.auth.addPerson({ role: 'ADMIN' });
  const { connect, as } = fixture;
  const failed = await pendingPayment(fixture, sender, recipient);
  const set = (id: string, status: PaymentStatus) =>
    connect.setPaymentStatus({ id, status, reason: 'fraud' }, as(admin));
  const { payment } = await set(failed, PaymentStatus.FAILED);
  t.match(payment, { status: PaymentStatus.FAILED, failureCode: 'set_by_administrator', failureReason: 'fraud' });
  const due = await pendingPayment(fixture, sender, recipient);
  t.equal(await reasonOf(set(due, PaymentStatus.COMPLETED)), 'ILLEGAL_TRANSITION', 'not past the provider');
  await set(due, PaymentStatus.PROCESSING);
  await waitForStatus(connect, as(sender), due, 'completed');
  for (const status of [1, 2, 4, 5, 6, 7] as PaymentStatus[]) {
    t.equal(await reasonOf(set(due, status)), 'ILLEGAL_TRANSITION', `completed to ${status}`);
    t.equal(await reasonOf(set(failed, status)), 'ILLEGAL_TRANSITION', `failed to ${status}`);
  }
  t.equal(await reasonOf(set(randomUUID(), PaymentStatus.FAILED)), 'PAYMENT_NOT_FOUND');
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
});

t.test('B-ledger: refunds give back what was captured and not a unit more', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const { id } = await fixture.completedPayment(sender, recipient, 1_000n);
  const refund = (minorUnits: bigint | undefined, who = recipient, currencyCode = 'EUR') =>
    connect.refundPayment(
      { id, ...(minorUnits === undefined ? {} : { amount: { currencyCode, minorUnits } }) },
      as(who, randomUUID()),
    );
  t.equal(await reasonOf(refund(1n, sender)), 'FORBIDDEN', 'who paid can not take it back');
  t.equal(await reasonOf(refund(1_001n)), 'REFUND_EXCEEDS_PAYMENT');
  t.equal(await reasonOf(refund(1n, recipient, 'USD')), 'CURRENCY_IMMUTABLE');
  await refund(999n);
  t.equal(await reasonOf(refund(2n)), 'REFUND_EXCEEDS_PAYMENT', 'also while the first is on its way');
  const { refund: rest } = await refund(undefined);
  t.equal(rest?.amount?.minorUnits, 1n, 'unset: all that is left');
  const all = await waitForStatus(connect, as(sender), id, 'refunded');
  t.ok(all.completeTime, 'the time of completion stays');
  t.equal(await reasonOf(refund(1n)), 'PAYMENT_NOT_REFUNDABLE');
  const { balances } = await connect.getBalances({}, as(recipient));
  t.same(
    balances.map(({ minorUnits }) => minorUnits),
    [0n],
  );
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
});

t.test('fault 31: whoever gets an address that was another’s gets none of his payments', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const paid = await fixture.completedPayment(sender, recipient);
  fixture.auth.deactivate(recipient.id);
  const heir = fixture.auth.addPerson({ email: recipient.email });
  const { connect, as } = fixture;
  await connect.createPayment(
    { ...instantPayment(heir), recipientId: undefined, recipientEmail: heir.email },
    as(sender, 'new'),
  );
  t.equal(await reasonOf(connect.getPayment({ id: paid.id }, as(heir))), 'PAYMENT_NOT_FOUND');
  const { payments } = await connect.listPayments({}, as(heir));
  t.equal(payments.length, 1, 'only what he was paid himself');
});

t.test('contract: erasure withdraws what waits and leaves bookkeeping under ids', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const paid = await fixture.completedPayment(sender, recipient);
  const waiting = await pendingPayment(fixture, sender, recipient);
  await connect.addPaymentMethod(
    { method: { case: 'bankAccount', value: { iban: 'DE89370400440532013000', holderName: 'Ada' } } },
    as(sender, 'iban'),
  );
  const internal = await fixture.asService('profile');
  for (let round = 0; round < 2; round += 1) await internal.eraseUserData({ userId: sender.id });
  const { payment } = await connect.getPayment({ id: paid.id }, as(recipient));
  t.match(payment, { description: '', status: PaymentStatus.COMPLETED, senderId: sender.id });
  await waitForStatus(connect, as(recipient), waiting, 'cancelled');
  t.same((await connect.listPaymentMethods({}, as(sender))).paymentMethods, []);
  const keys = await fixture.superuser`select 1 from idempotency_keys where user_id = ${sender.id}`;
  t.equal(keys.length, 0, 'no stored answer holds what was erased');
  t.same(await checkInvariants(fixture.superuser, fixture.sandbox), []);
});
