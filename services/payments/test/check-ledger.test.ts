// A ledger that doesn't add up can't come about through the service; here somebody with the database in hand makes one.
import t from 'tap';
import { createLedgerCheck, isLedgerBalanced } from '../src/ledger/check-ledger.ts';
import { startPayments } from './payments-fixture.ts';

t.setTimeout(120_000);

t.test(
  'SM: the ledger is summed up by itself, and an entry that was changed shows as the imbalance of its currency',
  async (t) => {
    const fixture = await startPayments(t);
    const { deps, metrics, superuser, connect, as } = fixture;
    const { sender, recipient } = await fixture.pair();
    await fixture.completedPayment(sender, recipient, 1_050n);
    t.equal(await isLedgerBalanced(deps), true);
    t.equal((await connect.getBalances({}, as(recipient))).balanced, true);
    t.equal(await metrics.value('ledger_imbalance', { currency: 'EUR' }), 0);
    await superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql`update ledger_entries set minor_units = minor_units + 7
      where id = (select id from ledger_entries where currency_code = 'EUR' limit 1)`;
    });
    const check = createLedgerCheck(deps);
    check.start();
    // The pass that has begun is let come to its end.
    await check.stop();
    t.equal(await metrics.value('ledger_imbalance', { currency: 'EUR' }), 7);
    t.equal((await connect.getBalances({}, as(recipient))).balanced, false, 'whose balance it changes is told');
    t.equal((await connect.getBalances({}, as(sender))).balanced, true, 'nobody else');
  },
);
