// What the database refuses to post, whoever writes: checks run once a statement, over the rows that it wrote.
import { randomUUID } from 'node:crypto';
import { openSql } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { type PaymentsFixture, startPayments } from './payments-fixture.ts';

type Sql = ReturnType<typeof openSql>;

t.test('B-ledger: a posting that says other than its payment is refused', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const { runtime, processing } = await ledgerByHand(t, fixture);
  const id = await processing(sender.id, recipient.id);
  const balanced = [
    { owner: recipient.id, amount: 5n },
    { owner: null, amount: -5n },
  ];
  await t.rejects(
    runtime.begin(async (sql) => {
      await sql`update payments set status = 'completed', complete_time = now(), version = 3 where id = ${id}`;
    }),
    /differ/,
    'completed without a capture',
  );
  await t.rejects(post(runtime, [{ paymentId: id, entries: balanced }]), /differ/, 'a capture without completion');
  await t.rejects(complete(runtime, [{ paymentId: id, entries: [] }]), /has entries/, 'a capture without entries');
  const stranger = [{ owner: sender.id, amount: 5n }, ...balanced.slice(1)];
  await t.rejects(
    complete(runtime, [{ paymentId: id, entries: stranger }]),
    /differ/,
    'to an account of somebody else',
  );
  const half = balanced.map(({ owner, amount }) => ({ owner, amount: (amount * 4n) / 5n }));
  await t.rejects(complete(runtime, [{ paymentId: id, entries: half }]), /differ/, 'another amount');
  await t.rejects(post(runtime, [{ paymentId: randomUUID(), entries: balanced }]), /differ/, 'of no payment');
  const back = await processing(recipient.id, sender.id);
  const exchanged = [
    { paymentId: id, entries: stranger },
    { paymentId: back, entries: balanced },
  ];
  await t.rejects(complete(runtime, exchanged), /differ/, 'two that have each other’s entries');
  await complete(runtime, [
    { paymentId: id, entries: balanced },
    { paymentId: back, entries: stranger },
  ]);
  await t.rejects(post(runtime, [{ paymentId: id, entries: balanced }]), /_once/, 'a second capture');
  await t.rejects(
    runtime`
      insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
      select gen_random_uuid(), t.id, ledger_account_id(account, owner::uuid, 'EUR'), 'EUR', amount
      from ledger_transactions t, (values ('user', ${recipient.id}, 1), ('psp_clearing', null, -1)) as e (account, owner, amount)
      where t.payment_id = ${id}`,
    /differ/,
    'a pair that comes later',
  );
});

t.test('B-ledger: the entries of each transaction sum to zero for each currency', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const { runtime, processing } = await ledgerByHand(t, fixture);
  const [first, second] = [await processing(sender.id, recipient.id), await processing(sender.id, recipient.id)];
  const capture = (paymentId: string, clearing: bigint, currency = 'EUR') => ({
    paymentId,
    entries: [
      { owner: recipient.id, amount: 5n },
      { owner: null, amount: clearing, currency },
    ],
  });
  await t.rejects(complete(runtime, [capture(first, -4n)]), /sum to zero/, 'one');
  await t.rejects(complete(runtime, [capture(first, -4n), capture(second, -6n)]), /sum to zero/, 'two that make up');
  await t.rejects(complete(runtime, [capture(first, -5n, 'USD')]), /sum to zero/, 'in another currency');
  const dollars = [
    { owner: recipient.id, amount: 7n, currency: 'USD' },
    { owner: null, amount: -7n, currency: 'USD' },
  ];
  const both = { paymentId: first, entries: [...capture(first, -5n).entries, ...dollars] };
  await t.rejects(complete(runtime, [both]), /sum to zero/, 'a pair of another currency than its payment');
  await complete(runtime, [capture(first, -5n), capture(second, -5n)]);
  const [posted] = await runtime`select id from ledger_transactions where payment_id = ${first}`;
  const add = (transactionId: string, account: string, amount: number, currency = 'EUR') => runtime`
    insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
    select gen_random_uuid(), ${transactionId}, ledger_account_id(${account}, null, 'EUR'), ${currency}, ${amount}`;
  await t.rejects(add(posted?.['id'], 'psp_clearing', 1), /sum to zero/, 'an entry that comes later');
  await t.rejects(add(sender.id, 'psp_clearing', 1), /sum to zero/, 'an entry of no transaction');
  await t.rejects(add(posted?.['id'], 'psp_clearing', 1, 'USD'), /account of its currency/);
  await t.rejects(add(posted?.['id'], 'none', 1), /account of its currency/, 'an entry of no account');
});

t.test('B-ledger: what is checked is looked up by key, also by plans from the time of empty tables', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const { runtime, processing } = await ledgerByHand(t, fixture);
  await fixture.superuser`analyze`;
  const ids = await Promise.all(Array.from({ length: 50 }, () => processing(sender.id, recipient.id)));
  const entries = [
    { owner: recipient.id, amount: 5n },
    { owner: null, amount: -5n },
  ];
  for (const paymentId of ids) await complete(runtime, [{ paymentId, entries }]);
  const backends = await fixture.superuser`
    select pid from pg_stat_activity where usename = 'payments_app' and application_name = 'postgres.js'`;
  await runtime.end();
  // What a backend has counted is there once it is gone.
  const pids = backends.map(({ pid }) => pid);
  while ((await fixture.superuser`select 1 from pg_stat_activity where pid = any(${pids})`).length > 0);
  const counts = await fixture.superuser`
    select relname, seq_tup_read::int as rows, idx_scan > 0 as by_key from pg_stat_user_tables
    where relname in ('ledger_entries', 'ledger_transactions', 'refunds') order by relname`;
  t.same(counts, [
    { relname: 'ledger_entries', rows: 0, by_key: true },
    { relname: 'ledger_transactions', rows: 0, by_key: true },
    { relname: 'refunds', rows: 0, by_key: true },
  ]);
});

interface Posting {
  readonly paymentId: string;
  /** Without owner: the clearing. */
  readonly entries: readonly {
    readonly owner: string | null;
    readonly amount: bigint;
    readonly currency?: string;
  }[];
}

/** The runtime role, and payments of 5 cents that are with the provider. */
async function ledgerByHand(t: Test, fixture: PaymentsFixture) {
  const runtime = openSql(fixture.testDatabase.runtimeUrl);
  t.teardown(() => runtime.end());
  const processing = async (senderId: string, recipientId: string): Promise<string> => {
    const [row] = await runtime`
      insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description,
        create_time, update_time, change_actor_kind)
      values (gen_random_uuid(), 'instant', 'pending', 'EUR', 5, ${senderId}, ${recipientId}, 'x', now(), now(), 'user')
      returning id`;
    await runtime`update payments set status = 'processing', version = 2 where id = ${row?.['id']}`;
    return row?.['id'];
  };
  return { runtime, processing };
}

/** Posts captures in one statement, and makes the accounts first. */
function post(sql: Sql, postings: readonly Posting[], isCompleting = false) {
  const rows = postings.flatMap(({ paymentId, entries }) => entries.map((entry) => ({ paymentId, ...entry })));
  const of = (value: (row: (typeof rows)[number]) => string | null) => rows.map(value);
  const ids = postings.map(({ paymentId }) => paymentId);
  return sql.begin(async (tx) => {
    await tx`
      insert into ledger_accounts (name, user_id, currency_code)
      select distinct case when owner is null then 'psp_clearing' else 'user' end, owner, currency
      from unnest(${of(({ owner }) => owner)}::uuid[], ${of(({ currency }) => currency ?? 'EUR')}::text[])
        as account (owner, currency)
      on conflict do nothing`;
    await tx`
      with completed as (
        update payments set status = 'completed', complete_time = now(), version = version + 1
        where ${isCompleting} and id = any(${ids})
      ), posted as (
        insert into ledger_transactions (id, payment_id, kind)
        select gen_random_uuid(), id, 'capture' from unnest(${ids}::uuid[]) as id
        returning id, payment_id
      )
      insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
      select gen_random_uuid(), posted.id,
        ledger_account_id(case when owner is null then 'psp_clearing' else 'user' end, owner, currency), currency, amount
      from posted join unnest(${of(({ paymentId }) => paymentId)}::uuid[], ${of(({ owner }) => owner)}::uuid[],
        ${of(({ currency }) => currency ?? 'EUR')}::text[], ${of(({ amount }) => String(amount))}::text[]::bigint[])
        as entry (payment_id, owner, currency, amount) using (payment_id)`;
  });
}

const complete = (sql: Sql, postings: readonly Posting[]) => post(sql, postings, true);
