// What the database refuses whoever writes: the runtime role by right, the owner and a superuser by trigger.
import { openSql } from '@strongroom/testkit';
import t from 'tap';
import { isLegalTransition, paymentStatuses } from '../src/payment/payment.ts';
import { startPayments } from './payments-fixture.ts';

t.test('fault 22: the rules and the database know the same graph', async (t) => {
  const { superuser } = await startPayments(t, { workers: false });
  for (const from of paymentStatuses) {
    for (const to of paymentStatuses) {
      const [row] = await superuser`select is_payment_transition(${from}, ${to}) as legal`;
      // To the database a status to itself is a change of other fields.
      t.equal(row?.['legal'], from === to || isLegalTransition(from, to), `${from} > ${to}`);
    }
  }
});

t.test('F17, I4: no statement takes a payment off the graph, skips a version or changes what it is', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const { id } = await fixture.completedPayment(sender, recipient);
  const runtime = openSql(fixture.testDatabase.runtimeUrl);
  t.teardown(() => runtime.end());
  const refused = [
    "status = 'pending', complete_time = null, version = version + 1",
    "status = 'failed', failure_code = 'x', complete_time = null, version = version + 1",
    "status = 'refunded', refunded_minor_units = minor_units, version = version + 1",
    'minor_units = minor_units + 1, version = version + 1',
    'recipient_id = gen_random_uuid(), version = version + 1',
    "description = 'other'",
    "description = 'other', version = version + 2",
    'version = version + 1',
    "currency_code = 'USD', version = version + 1",
    'sender_id = recipient_id, version = version + 1',
    'complete_time = now(), version = version + 1',
    'reserved_minor_units = minor_units + 1',
    'reserved_minor_units = 1',
    "type = 'scheduled', scheduled_time = now(), version = version + 1",
  ];
  for (const sql of [runtime, fixture.superuser]) {
    for (const change of refused) {
      await t.rejects(sql.unsafe(`update payments set ${change} where id = '${id}'`), change);
    }
    await t.rejects(sql.unsafe(`delete from payments where id = '${id}'`), 'payments stay');
    await t.rejects(sql.unsafe('truncate payments cascade'), 'all of them');
    for (const table of ['payment_changes', 'ledger_entries', 'ledger_transactions']) {
      await t.rejects(sql.unsafe(`delete from ${table}`), `${table} is append-only`);
      await t.rejects(sql.unsafe(`update ${table} set create_time = now()`), `${table} is append-only`);
      await t.rejects(sql.unsafe(`truncate ${table} cascade`), `${table} is append-only`);
    }
    await t.rejects(sql.unsafe(`delete from ledger_accounts`), 'accounts stay');
  }
  await t.rejects(
    runtime.unsafe(`insert into payment_changes (payment_id, version, to_status, actor_kind, reason, changed_fields,
      sender_id, recipient_id) values ('${id}', 99, 'completed', 'user', '', '{}', '${sender.id}', '${recipient.id}')`),
    /permission denied/,
    'history comes from changes alone',
  );
});

t.test('S4.4: a write by psql is recorded with its role, and one by the service with its person', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  await fixture.connect.createPayment(
    { type: 1, amount: { currencyCode: 'EUR', minorUnits: 5n }, recipientId: recipient.id, description: 'x' },
    fixture.as(sender, 'one'),
  );
  await fixture.superuser`update payments set description = 'by hand', version = version + 1`;
  const rows = await fixture.superuser<{ record: Record<string, string> }[]>`
    select record from strongroom.outbox where name = 'DB_WRITE' and record -> 'details' ->> 'table' = 'payments'
    order by order_id`;
  t.same(
    rows.map(({ record }) => record['actorKind']),
    ['user', 'database'],
  );
  t.equal(rows[0]?.record['actorId'], sender.id);
  t.notMatch(JSON.stringify(rows), /by hand/, 'names of columns, never values');
});
