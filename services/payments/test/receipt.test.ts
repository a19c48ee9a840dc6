import { randomUUID } from 'node:crypto';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { instantPayment, startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

t.test(
  'B-receipt: an act is proven to who acted, a process’s act to all who see the payment, nothing to others',
  async (t) => {
    const fixture = await startPayments(t);
    const { connect, as, log } = fixture;
    const { sender, recipient } = await fixture.pair();
    const stranger = fixture.auth.addPerson();
    const admin = fixture.auth.addPerson({ role: 'ADMIN' });
    const created = await connect.createPayment(instantPayment(recipient), as(sender, 'one'));
    const id = created.payment?.id ?? '';
    const ask = (eventId: string, who = sender) => connect.getPaymentReceipt({ id, eventId }, as(who));
    t.equal(await reasonOf(ask(created.auditEventId)), 'RECEIPT_PENDING', 'on its way to the log');
    t.equal(await reasonOf(ask(randomUUID())), 'RECEIPT_NOT_FOUND', 'no such act');
    log.logged.set(created.auditEventId, { source: 'payments', resourceId: id, actorId: sender.id });
    t.equal((await ask(created.auditEventId)).auditReceipt, `proof of ${created.auditEventId}`);
    t.equal((await ask(created.auditEventId, admin)).auditReceipt, `proof of ${created.auditEventId}`);
    t.equal(await reasonOf(ask(created.auditEventId, recipient)), 'RECEIPT_NOT_FOUND', 'another person’s act');
    t.equal(await reasonOf(ask(created.auditEventId, stranger)), 'PAYMENT_NOT_FOUND');

    const foreign = randomUUID();
    log.logged.set(foreign, { source: 'payments', resourceId: randomUUID(), actorId: sender.id });
    t.equal(await reasonOf(ask(foreign)), 'RECEIPT_NOT_FOUND', 'an act on another payment');
    const other = randomUUID();
    log.logged.set(other, { source: 'auth', resourceId: id, actorId: sender.id });
    t.equal(await reasonOf(ask(other)), 'RECEIPT_NOT_FOUND', 'an event of another service');
    const byProvider = randomUUID();
    log.logged.set(byProvider, { source: 'payments', resourceId: id, actorId: '' });
    for (const who of [sender, recipient]) t.ok((await ask(byProvider, who)).auditReceipt);
  },
);

t.test('B-receipt: every write of money names its event, and a repetition names the same', async (t) => {
  const fixture = await startPayments(t);
  const { connect, as, superuser } = fixture;
  const { sender, recipient } = await fixture.pair();
  const paid = await fixture.completedPayment(sender, recipient);
  const request = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 5n } };
  const refunded = await connect.refundPayment(request, as(recipient, 'back'));
  t.same(await connect.refundPayment(request, as(recipient, 'back')), refunded);
  const scheduledAt = { seconds: BigInt(Math.floor(Date.now() / 1_000) + 86_400), nanos: 0 };
  const waiting = await connect.createPayment({ ...instantPayment(recipient), type: 2, scheduledAt }, as(sender, 'w'));
  const id = waiting.payment?.id ?? '';
  const edited = await connect.updatePayment({ id, description: 'other' }, as(sender));
  const cancelled = await connect.cancelPayment({ id }, as(sender));
  const ids = [refunded, waiting, edited, cancelled].map(({ auditEventId }) => auditEventId);
  const events = await until(async () => {
    const rows = await superuser<{ name: string }[]>`
      select name from strongroom.outbox where event_id = any(${ids}) order by order_id`;
    return rows.length === ids.length ? rows : undefined;
  });
  t.same(
    events.map(({ name }) => name),
    ['PAYMENT_UPDATED', 'PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_CANCELLED'],
  );
});
