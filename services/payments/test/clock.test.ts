// The service's clock is wrong, or jumps: what hangs on time hangs on the database's.
import { randomUUID } from 'node:crypto';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { checkInvariants } from './invariants.ts';
import { instantPayment, startPayments, waitForStatus } from './payments-fixture.ts';

const clock = { offsetMs: 0 };
/** The least that is allowed: less than a day by five minutes, if the service's clock counted. */
const keyLifetimeS = 86_460;

t.test('F14, F15: with a clock five minutes off, or an hour back, everything is once and in order', async (t) => {
  const fixture = await startPayments(t, {
    now: () => Date.now() + clock.offsetMs,
    variables: { IDEMPOTENCY_KEY_TTL_S: String(keyLifetimeS) },
  });
  const { connect, as, superuser } = fixture;
  const { sender, recipient } = await fixture.pair();
  const ids: string[] = [];
  for (const offsetMs of [0, 300_000, -300_000, -3_600_000]) {
    clock.offsetMs = offsetMs;
    const call = as(sender, randomUUID());
    const first = await connect.createPayment(instantPayment(recipient), call);
    t.same(await connect.createPayment(instantPayment(recipient), call), first, 'the key counts');
    const id = first.payment?.id ?? '';
    await waitForStatus(connect, call, id, 'completed');
    const refund = { id, amount: { currencyCode: 'EUR', minorUnits: 50n } };
    await connect.refundPayment(refund, as(recipient, randomUUID()));
    await waitForStatus(connect, call, id, 'partially_refunded');
    ids.push(id);
  }
  t.strictSame(ids.toSorted(), ids, 'ids rise, however the clock jumps');
  const listed: string[] = [];
  for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
    const page = await connect.listPayments({ pageSize: 1, pageToken }, as(sender));
    listed.push(...page.payments.map((payment) => payment.id));
    pageToken = page.nextPageToken || undefined;
  }
  t.strictSame(listed.toSorted(), ids, 'pages hold each payment once');
  const wrong = await superuser`
    select p.id from payments p where complete_time < create_time or update_time < complete_time
    union all select id from refunds where complete_time < create_time
    union all select user_id from idempotency_keys
      where expire_time not between create_time + ${keyLifetimeS - 1} * interval '1 second'
        and create_time + ${keyLifetimeS + 1} * interval '1 second'
    union all select payment_id from (
      select payment_id, change_time, lag(change_time) over (partition by payment_id order by version) as before
      from payment_changes) c where change_time < before`;
  t.same([...wrong], [], 'nothing ends before it began, and keys count as long as they should');
  await until(async () => (await checkInvariants(superuser, fixture.sandbox)).length === 0);
});
