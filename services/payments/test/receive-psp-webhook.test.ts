import { randomUUID } from 'node:crypto';
import { PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { until } from '@strongroom/testkit';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { createPurge } from '../src/work/purge.ts';
import { checkInvariants } from './invariants.ts';
import {
  instantPayment,
  type PaymentsFixture,
  startPayments,
  waitForStatus,
  webhookSecret,
} from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

interface Message {
  readonly type: string;
  readonly reference: string;
  readonly amount?: number;
  readonly currency?: string;
  readonly id?: string;
  readonly time?: Date;
  readonly secret?: string;
  readonly tamper?: (body: string) => string;
}

/** A message as the provider would send it. */
function send(fixture: PaymentsFixture, message: Message) {
  const { type, reference, amount = 1_050, currency = 'EUR', id = `evt_${randomUUID()}`, time = new Date() } = message;
  const status = type.split('.')[1];
  const ids = type.startsWith('refund.') ? { refundId: 're_1' } : { chargeId: 'ch_1' };
  const data = { eventId: id, reference, ...ids, status, amount, currency };
  const failure = status === 'failed' ? { failureReason: 'card_declined' } : {};
  const body = JSON.stringify({ type, timestamp: time.toISOString(), data: { ...data, ...failure } });
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
    'webhook-signature': new Webhook(message.secret ?? webhookSecret).sign(id, time, body),
  };
  const sent = Buffer.from(message.tamper?.(body) ?? body);
  return fixture.connect.receivePspWebhook({ payload: { contentType: 'application/json', data: sent } }, { headers });
}

/** A payment of which the provider says nothing by itself. */
async function silentPayment(fixture: PaymentsFixture) {
  const { sender, recipient } = await fixture.pair();
  const { payment } = await fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, randomUUID()));
  return { id: payment?.id ?? '', sender, recipient, call: fixture.as(sender) };
}

t.test(
  'F16, fault 21: the same message a hundred times, twenty at once, is one transition, one row, one event',
  async (t) => {
    const fixture = await startPayments(t, { workers: false });
    const { id, call } = await silentPayment(fixture);
    const message = { type: 'charge.completed', reference: id, id: 'evt_same' };
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(fixture, message)));
      t.equal(answers.filter(({ applied }) => applied).length, round === 0 ? 1 : 0, 'applied once');
    }
    const payment = await waitForStatus(fixture.connect, call, id, 'completed');
    t.equal(payment.changes.filter(({ toStatus }) => toStatus === PaymentStatus.COMPLETED).length, 1);
    const events = await fixture.superuser`select 1 from strongroom.outbox where name = 'PAYMENT_COMPLETED'`;
    t.equal(events.length, 1);
  },
);

t.test('F17, fault 21: late and contradicting messages change nothing and leave a note', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { id, call, recipient } = await silentPayment(fixture);
  t.equal((await send(fixture, { type: 'charge.completed', reference: id })).applied, true, 'completed overtakes');
  t.equal((await send(fixture, { type: 'charge.processing', reference: id })).applied, false, 'processing is late');
  t.equal((await send(fixture, { type: 'charge.failed', reference: id })).applied, false, 'failed is late');
  const payment = await waitForStatus(fixture.connect, call, id, 'completed');
  t.same(
    payment.changes.map(({ toStatus }) => toStatus),
    [PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.COMPLETED],
    'the path is the graph',
  );
  const notes = await fixture.superuser`
    select 1 from strongroom.outbox where name = 'PAYMENT_UPDATED' and position('ignoredWebhook'::bytea in payload) > 0`;
  t.equal(notes.length, 2, 'both are noted for the audit log');
  t.equal(
    (await send(fixture, { type: 'charge.completed', reference: id })).applied,
    false,
    'what is known is no news',
  );

  const failed = await silentPayment(fixture);
  await send(fixture, { type: 'charge.failed', reference: failed.id });
  t.equal((await send(fixture, { type: 'charge.completed', reference: failed.id })).applied, false);
  await waitForStatus(fixture.connect, failed.call, failed.id, 'failed');
  t.same(
    (await fixture.connect.getBalances({}, fixture.as(recipient))).balances.map((each) => each.minorUnits),
    [1_050n],
  );
});

t.test(
  'F18, fault 21: a signature that is bad, old, absent or over another body is refused and recorded',
  async (t) => {
    const fixture = await startPayments(t, { workers: false });
    const { id, call } = await silentPayment(fixture);
    const completed = { type: 'charge.completed', reference: id };
    const now = Date.now();
    const payload = { contentType: 'application/json', data: Buffer.from('{}') };
    const refused = {
      'another secret': () =>
        send(fixture, { ...completed, secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}` }),
      'six minutes old': () => send(fixture, { ...completed, time: new Date(now - 360_000) }),
      'six minutes ahead': () => send(fixture, { ...completed, time: new Date(now + 360_000) }),
      'one byte changed': () => send(fixture, { ...completed, tamper: (body) => body.replace('1050', '1051') }),
      'no headers': () => fixture.connect.receivePspWebhook({ payload }),
    };
    for (const [name, ask] of Object.entries(refused))
      t.equal(await reasonOf(ask()), 'WEBHOOK_SIGNATURE_INVALID', name);
    const { payment } = await fixture.connect.getPayment({ id }, call);
    t.equal(payment?.status, PaymentStatus.PENDING, 'nothing has changed');
    const events = await fixture.superuser`select 1 from strongroom.outbox where name = 'WEBHOOK_REJECTED'`;
    t.equal(events.length, 5, 'each is recorded');
    t.equal((await send(fixture, { ...completed, id: 'evt_once' })).applied, true);
    t.equal((await send(fixture, { ...completed, id: 'evt_once' })).applied, false, 'a valid one again is a no-op');
  },
);

t.test('B-hooks: a message about another amount, nobody or nothing known is taken and ignored', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { id, call } = await silentPayment(fixture);
  t.equal((await send(fixture, { type: 'charge.completed', reference: id, amount: 1 })).applied, false);
  t.equal((await send(fixture, { type: 'charge.completed', reference: id, currency: 'USD' })).applied, false);
  t.equal((await send(fixture, { type: 'charge.completed', reference: randomUUID() })).applied, false);
  t.equal((await send(fixture, { type: 'charge.completed', reference: 'no-uuid' })).applied, false);
  t.equal((await fixture.connect.getPayment({ id }, call)).payment?.status, PaymentStatus.PENDING);
  t.equal(await reasonOf(send(fixture, { type: 'charge.exploded', reference: id })), 'WEBHOOK_MALFORMED');
});

t.test('B-hooks: the secret before is accepted while the provider changes over', async (t) => {
  const older = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  const fixture = await startPayments(t, { workers: false, variables: { PSP_WEBHOOK_PREVIOUS_SECRET: older } });
  const { id } = await silentPayment(fixture);
  t.equal((await send(fixture, { type: 'charge.completed', reference: id, secret: older })).applied, true);
});

t.test('F16, F17: what the provider sends twice or out of order by itself ends well', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  for (const amount of [9_905n, 9_906n, 9_916n]) {
    const { payment } = await fixture.connect.createPayment(
      instantPayment(recipient, amount),
      fixture.as(sender, `amount-${amount}`),
    );
    await waitForStatus(fixture.connect, fixture.as(sender), payment?.id ?? '', 'completed');
  }
  await until(async () => (await checkInvariants(fixture.superuser, fixture.sandbox)).length === 0);
});

t.test('B-hooks, B-idem: what has had its time is forgotten, and nothing else', async (t) => {
  const { superuser, deps } = await startPayments(t, { workers: false });
  const event = (id: string, age: string) => superuser`
    insert into psp_webhook_events (event_id, type, reference, applied, note, receive_time)
    values (${id}, 'charge.completed', 'x', true, '', now() - ${age}::interval)`;
  const key = (method: string, age: string) => superuser`
    insert into idempotency_keys (user_id, method, key_hash, request_hash, response, create_time, expire_time)
    values (${randomUUID()}, ${method}, sha256('key'), 'hash', 'response', now() - ${age}::interval,
      now() - ${age}::interval + interval '2 days')`;
  await Promise.all([
    event('old', '31 days'),
    event('young', '29 days'),
    key('Old', '49 hours'),
    key('Young', '47 hours'),
  ]);
  const purge = createPurge(deps);
  purge.start();
  // The pass that has begun is let come to its end.
  await purge.stop();
  const events = await superuser`select event_id from psp_webhook_events where event_id in ('old', 'young')`;
  const keys = await superuser`select method from idempotency_keys where method in ('Old', 'Young')`;
  t.strictSame(
    [...events, ...keys].map((row) => row['event_id'] ?? row['method']),
    ['young', 'Young'],
  );
});
