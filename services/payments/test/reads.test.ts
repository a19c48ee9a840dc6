import { randomUUID } from 'node:crypto';
import { PaymentStatus, PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { createFaultProxy, createTestDatabase, createTestRedis, until } from '@strongroom/testkit';
import t from 'tap';
import { instantPayment, type PaymentsFixture, startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

const fixture = await startPayments(t);

/** All pages of a list, as a client would turn them. */
async function allPages({ connect }: PaymentsFixture, request: object, call: ReturnType<PaymentsFixture['as']>) {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await connect.listPayments({ ...request, pageToken }, call);
    ids.push(...page.payments.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return ids;
}

t.test(
  'fault 28: pages neither repeat nor miss, whatever they are ordered by; a token fits its question alone',
  async (t) => {
    // Nothing moves on while its pages are turned.
    const still = await startPayments(t, { workers: false });
    const { sender, recipient } = await still.pair();
    const { connect, as } = still;
    for (let index = 0; index < 9; index += 1) {
      const [from, to] = index % 3 === 0 ? [recipient, sender] : [sender, recipient];
      // Few different amounts, so that the order alone leaves ties.
      await connect.createPayment(instantPayment(to, BigInt(100 + (index % 2))), as(from, randomUUID()));
    }
    const orders = ['', 'create_time', 'createTime asc', 'amount', 'amount desc', 'status', 'status desc'];
    for (const orderBy of orders) {
      const ids = await allPages(still, { pageSize: 2, orderBy }, as(sender));
      t.equal(ids.length, 9, `${orderBy}: all`);
      t.equal(new Set(ids).size, 9, `${orderBy}: once`);
    }
    const { payments } = await connect.listPayments({ orderBy: 'amount' }, as(sender));
    const amounts = payments.map(({ amount }) => Number(amount?.minorUnits));
    t.same(
      amounts,
      amounts.toSorted((a, b) => a - b),
    );
    const { nextPageToken: pageToken } = await connect.listPayments({ pageSize: 2 }, as(sender));
    for (const other of [{ orderBy: 'amount' }, { status: PaymentStatus.PENDING }, { type: PaymentType.INSTANT }]) {
      t.equal(
        await reasonOf(connect.listPayments({ pageSize: 2, pageToken, ...other }, as(sender))),
        'PAGE_TOKEN_INVALID',
      );
    }
    t.equal(await reasonOf(connect.listPayments({ pageSize: 2, pageToken }, as(recipient))), 'PAGE_TOKEN_INVALID');
    t.equal(await reasonOf(connect.listPayments({ pageToken: 'AAAA' }, as(sender))), 'PAGE_TOKEN_INVALID');
    t.equal(
      await reasonOf(connect.listPayments({ orderBy: 'id; drop table payments' }, as(sender))),
      'VALIDATION_FAILED',
    );
    t.equal(await reasonOf(connect.listPayments({ pageSize: 101 }, as(sender))), 'VALIDATION_FAILED');
    t.equal(await reasonOf(connect.listPayments({ userId: recipient.id }, as(sender))), 'FORBIDDEN');
  },
);

t.test('fault 27: reports sum each currency by itself, sent and received, in the database', async (t) => {
  const vendor = fixture.auth.addPerson({ role: 'VENDOR' });
  const other = fixture.auth.addPerson();
  const { connect, as } = fixture;
  await fixture.completedPayment(other, vendor, 1_000n);
  await fixture.completedPayment(vendor, other, 500n);
  await fixture.completedPayment(other, fixture.auth.addPerson(), 7n);
  await connect.createPayment(instantPayment(vendor, 300n, 'JPY'), as(other, randomUUID()));
  const report = await connect.getReport({}, as(vendor));
  const sums = report.currencies.map(({ currencyCode, paymentCount, totalMinorUnits }) => [
    currencyCode,
    paymentCount,
    totalMinorUnits,
  ]);
  t.same(sums, [
    ['EUR', 2n, 1_500n],
    ['JPY', 1n, 300n],
  ]);
  t.same(report.currencies[0]?.byStatus, [
    { $typeName: 'strongroom.payments.v1.StatusCount', status: 3, paymentCount: 2n, totalMinorUnits: 1_500n },
  ]);
  const all = await connect.getReport({}, as(fixture.auth.addPerson({ role: 'ADMIN' })));
  t.equal(all.currencies[0]?.totalMinorUnits, 1_507n);
  t.equal(await reasonOf(connect.getReport({}, as(other))), 'FORBIDDEN');
  const time = (seconds: bigint) => ({ seconds, nanos: 0 });
  t.equal(
    await reasonOf(connect.getReport({ startTime: time(0n), endTime: time(40_000_000n) }, as(vendor))),
    'VALIDATION_FAILED',
  );
  t.equal(
    await reasonOf(connect.getReport({ startTime: time(9n), endTime: time(9n) }, as(vendor))),
    'VALIDATION_FAILED',
  );
});

t.test(
  'fault 30: recipients are found by exact address or among those paid before; there is no directory',
  async (t) => {
    const { connect, as } = fixture;
    const sender = fixture.auth.addPerson({ name: 'Self' });
    const ada = fixture.auth.addPerson({ name: 'Ada Lovelace', email: 'ada@example.com' });
    fixture.auth.addPerson({ name: 'Ada Unknown' });
    const search = async (query: string) =>
      (await connect.searchRecipients({ query }, as(sender))).recipients.map(({ id }) => id);
    t.same(await search('ada'), [], 'nobody was paid yet');
    t.same(await search('ADA@example.com'), [ada.id]);
    t.same(await search('ada@example.co'), [], 'exact or not at all');
    t.same(await search(sender.email), [], 'not oneself');
    await fixture.completedPayment(sender, ada);
    t.same(await search('aDA l'), [ada.id]);
    t.same(await search('ove'), [], 'the beginning of a name');
    fixture.auth.deactivate(ada.id);
    t.same(await search('ada'), []);
    for (let index = 0; index < 12; index += 1) {
      const many = fixture.auth.addPerson({ name: `Many ${index}` });
      await connect.createPayment(instantPayment(many), as(sender, randomUUID()));
    }
    t.equal((await search('many')).length, 10, 'and not all at once');
    const [found] = (await connect.searchRecipients({ query: 'many' }, as(sender))).recipients;
    t.same(Object.keys(found ?? {}).sort(), ['$typeName', 'id', 'name'], 'without an address');
  },
);

t.test('fault 30: metadata is few short texts, and no event repeats them', async (t) => {
  // Pending payments stay so.
  const { connect, as, pair, superuser } = await startPayments(t, { workers: false });
  const { sender, recipient } = await pair();
  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, 'v']));
  const create = (metadata: Record<string, string>) =>
    connect.createPayment({ ...instantPayment(recipient), metadata }, as(sender, randomUUID()));
  const { payment } = await create({ ...pairs(19), ['k'.repeat(40)]: 'canary'.padEnd(500, '.') });
  const id = payment?.id ?? '';
  const tooMuch = [pairs(21), { ['k'.repeat(41)]: 'v' }, { '': 'v' }, { key: 'v'.repeat(501) }];
  for (const metadata of tooMuch) {
    t.equal(await reasonOf(create(metadata)), 'VALIDATION_FAILED');
    t.equal(await reasonOf(connect.updatePayment({ id, metadata }, as(sender))), 'VALIDATION_FAILED');
  }
  await connect.updatePayment({ id, metadata: { other: 'canary' } }, as(sender));
  const rows = await superuser`
    select name from strongroom.outbox
    where position(convert_to(${id}, 'UTF8') in payload) > 0 or record ->> 'resourceId' = ${id}`;
  t.ok(rows.length >= 4, 'events and records of both');
  const repeated = await superuser`
    select name from strongroom.outbox
    where position('canary'::bytea in payload) > 0 or record::text like '%canary%'
    union all select event_type from webhook_deliveries where body like '%canary%'`;
  t.same([...repeated], []);
});

t.test('fault 29: an unknown recipient is 404 on create and edit, a malformed one 400, both at once 400', async (t) => {
  // Pending payments stay so.
  const { connect, as, pair } = await startPayments(t, { workers: false });
  const { sender, recipient } = await pair();
  const request = { ...instantPayment(recipient), recipientId: undefined };
  const ask = (fields: object) => reasonOf(connect.createPayment({ ...request, ...fields }, as(sender, randomUUID())));
  t.equal(await ask({ recipientId: randomUUID() }), 'RECIPIENT_NOT_FOUND');
  t.equal(await ask({ recipientEmail: 'nobody@example.com' }), 'RECIPIENT_NOT_FOUND');
  t.equal(await ask({ recipientEmail: 'no address' }), 'VALIDATION_FAILED');
  t.equal(await ask({}), 'VALIDATION_FAILED');
  t.equal(await ask({ recipientId: recipient.id, recipientEmail: recipient.email }), 'VALIDATION_FAILED');
  t.equal(await ask({ recipientEmail: recipient.email.toUpperCase() }), 'none');
  t.equal(await ask({ recipientEmail: sender.email }), 'SELF_PAYMENT');
  t.equal(await ask({ recipientId: sender.id }), 'SELF_PAYMENT');
  const { payment } = await connect.createPayment(instantPayment(recipient), as(sender, randomUUID()));
  const edit = (fields: object) => reasonOf(connect.updatePayment({ id: payment?.id ?? '', ...fields }, as(sender)));
  t.equal(await edit({ recipientId: randomUUID() }), 'RECIPIENT_NOT_FOUND');
  t.equal(await edit({ recipientEmail: 'nobody@example.com' }), 'RECIPIENT_NOT_FOUND');
  t.equal(await edit({ recipientEmail: 'no address' }), 'VALIDATION_FAILED');
  t.equal(await edit({ recipientId: recipient.id, recipientEmail: recipient.email }), 'VALIDATION_FAILED');
  t.equal(await edit({ recipientEmail: sender.email }), 'SELF_PAYMENT');
});

t.test(
  'S5.3, fault 28: while the database is away, a read is answered from what was kept for it, and says so',
  async (t) => {
    const redis = await createTestRedis();
    t.teardown(() => redis.close());
    const own = await createTestDatabase('payments');
    t.teardown(() => own.drop());
    const proxy = await createFaultProxy({ target: own.runtimeUrl });
    t.teardown(() => proxy.close());
    const variables = { DATABASE_URL: proxy.urlFor(own.runtimeUrl), DB_CONNECTION_TIMEOUT: '1' };
    const fixture = await startPayments(t, { workers: false, redisUrl: redis.url, variables });
    const { sender, recipient } = await fixture.pair();
    const { connect, as } = fixture;
    const { payment } = await connect.createPayment(instantPayment(recipient), as(sender, 'one'));
    const id = payment?.id ?? '';
    await connect.getPayment({ id }, as(sender));
    await connect.listPayments({}, as(sender));
    t.equal((await connect.getPayment({ id }, as(sender))).payment?.stale, false);
    proxy.refuse();
    const kept = await until(() => connect.getPayment({ id }, as(sender)));
    t.match(kept.payment, { id, stale: true });
    const list = await connect.listPayments({}, as(sender));
    t.equal(
      await reasonOf(connect.listPayments({ pageSize: 10 }, as(sender))),
      'UNAVAILABLE',
      'a page of another size is not what was asked for',
    );
    t.match(list, { stale: true, payments: [{ id, stale: true }] });
    t.equal(
      await reasonOf(connect.getPayment({ id }, as(recipient))),
      'UNAVAILABLE',
      'nobody is given what another asked for',
    );
    t.equal(await reasonOf(connect.createPayment(instantPayment(recipient), as(sender, 'two'))), 'UNAVAILABLE');
    proxy.heal();
    await until(async () => (await connect.getPayment({ id }, as(sender))).payment?.stale === false);

    // B-erase: what anyone was told of the erased person's words is not told again.
    await connect.getPayment({ id }, as(recipient));
    await (await fixture.asService('profile')).eraseUserData({ userId: sender.id });
    proxy.refuse();
    for (const person of [sender, recipient]) {
      t.equal(await reasonOf(connect.getPayment({ id }, as(person))), 'UNAVAILABLE', 'nothing is kept any more');
    }
  },
);
