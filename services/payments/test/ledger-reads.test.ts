// Entries and balances as people read them, through every filter, page by page.
import { randomUUID } from 'node:crypto';
import type { LedgerEntry } from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { type Queryable, serviceAct } from '@strongroom/platform/database';
import t from 'tap';
import { areTransactionsBalanced, listEntries, sumBalances } from '../src/ledger/ledger-store.ts';
import { instantPayment, startPayments, waitForStatus } from './payments-fixture.ts';

t.setTimeout(120_000);
const fixture = await startPayments(t);
const { connect, as, superuser } = fixture;
const admin = fixture.auth.addPerson({ role: 'ADMIN' });

async function allEntries(request: object, call: ReturnType<typeof as>): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  let pageToken = '';
  do {
    const page = await connect.listLedgerEntries({ ...request, pageSize: 3, pageToken }, call);
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return entries;
}

t.test('B-ledger: entries come newest first and once, of a person, of a payment, and of all', async (t) => {
  const { sender, recipient } = await fixture.pair();
  const { recipient: other } = await fixture.pair();
  const paid: Payment[] = [];
  for (const [to, currencyCode] of [
    [recipient, 'EUR'],
    [recipient, 'USD'],
    [other, 'EUR'],
    [recipient, 'EUR'],
    [recipient, 'EUR'],
  ] as const) {
    const request = { ...instantPayment(to), amount: { currencyCode, minorUnits: 1_050n } };
    const { payment } = await connect.createPayment(request, as(sender, randomUUID()));
    paid.push(await waitForStatus(connect, as(sender), payment?.id ?? '', 'completed'));
  }
  const own = await allEntries({}, as(recipient));
  t.same(
    own.map(({ paymentId, currencyCode, minorUnits }) => ({ paymentId, currencyCode, minorUnits })),
    [4, 3, 1, 0].map((index) => ({
      paymentId: paid[index]?.id,
      currencyCode: index === 1 ? 'USD' : 'EUR',
      minorUnits: 1_050n,
    })),
    'of both accounts, in one order',
  );
  t.ok(own.every(({ userId }) => userId === recipient.id));
  t.same(await allEntries({ userId: recipient.id }, as(admin)), own, 'as an administrator sees them');
  const all = await allEntries({}, as(admin));
  t.equal(all.length, 10, 'both sides of each');
  t.equal(new Set(all.map(({ id }) => id)).size, 10);
  const [first, , elsewhere] = paid;
  t.same(
    (await allEntries({ paymentId: first?.id }, as(admin))).map(({ account }) => account).toSorted(),
    ['psp_clearing', 'user'],
    'both sides of a payment',
  );
  t.same(
    (await allEntries({ paymentId: first?.id }, as(recipient))).map(({ account }) => account),
    ['user'],
    'a person sees the own side',
  );
  t.same(await allEntries({ paymentId: elsewhere?.id }, as(recipient)), [], 'and nothing of a payment to others');
});

t.test('B-ledger: what a person’s balance reads does not grow with what others have', async (t) => {
  const { sender, recipient } = await fixture.pair();
  await fixture.completedPayment(sender, recipient);
  // Two thousand payments' worth of others, and no statistics that tell of them.
  await superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
      select gen_random_uuid(), gen_random_uuid(), (select id from ledger_accounts where user_id is null limit 1),
        'EUR', 1 from generate_series(1, 20000)`;
  });
  const reads: Readonly<Record<string, (source: Queryable) => Promise<unknown>>> = {
    'the sum': (source) => sumBalances(source, recipient.id),
    'whether it is right': (source) => areTransactionsBalanced(source, recipient.id),
    'the entries': (source) =>
      listEntries(source, { userId: recipient.id, paymentId: undefined, after: undefined, rowsMax: 20 }),
  };
  for (const [name, read] of Object.entries(reads)) {
    const rows = await fixture.database.transaction(serviceAct('test'), async (tx) => {
      await read(tx);
      return tx.sql<{ count: number }[]>`
        select (pg_stat_get_xact_tuples_returned('ledger_entries'::regclass)
          + sum(pg_stat_get_xact_tuples_returned(indexrelid)))::int as count
        from pg_index where indrelid = 'ledger_entries'::regclass`;
    });
    const count = rows[0]?.count ?? 0;
    // With what this connection has read a moment ago.
    t.ok(count > 0 && count < 1_000, `${name}: ${count} entries were read`);
  }
});
