// Settlements that come at once are written together: what each one's must not notice of the others.
import { randomUUID } from 'node:crypto';
import { serviceAct } from '@strongroom/platform/database';
import t from 'tap';
import type { Payment } from '../src/payment/payment.ts';
import { findPayment } from '../src/payment/payment-store.ts';
import type { PspNotification } from '../src/psp/psp.ts';
import { claimTasks } from '../src/psp/psp-task-store.ts';
import { completedCharge, type Settlement } from '../src/psp/settlement.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, startPayments } from './payments-fixture.ts';

const leaseMs = 60_000;
const facts = { actorId: null, actorKind: 'psp', reason: 'test' } as const;
const fixture = await startPayments(t, { workers: false });
const { superuser, deps } = fixture;

/** Payments of one recipient that are with the provider, and what is written once it has completed them. */
async function handedOver(count: number): Promise<Settlement[]> {
  const { sender, recipient } = await fixture.pair();
  const made = await Promise.all(
    Array.from({ length: count }, () =>
      fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, randomUUID())),
    ),
  );
  const ids = made.map(({ payment }) => payment?.id ?? '');
  await superuser`
    update payments set status = 'processing', version = 2, change_actor_id = null, change_actor_kind = 'psp'
    where id = any(${ids})`;
  const payments = await Promise.all(ids.map((id) => findPayment(fixture.database, id)));
  return payments.map((payment) => settlementOf(payment as Payment));
}

function settlementOf(payment: Payment, transactionId = 'tx'): Settlement {
  const act = serviceAct('psp', { requestId: randomUUID() });
  return completedCharge(payment, { kind: 'completed', transactionId }, { act, facts });
}

t.test('B-ledger, S4.4: of settlements written together each has its pair, its event and its own act', async (t) => {
  const settlements = await handedOver(20);
  const written = await Promise.all(settlements.map((settlement) => deps.writeSettlement(settlement)));
  t.same(new Set(written), new Set([true]));
  const ids = settlements.map(({ payment }) => payment.id);
  const statements = await superuser`select distinct xmin::text from payments where id = any(${ids})`;
  t.equal(statements.length, 2, 'two transactions of ten');
  for (const { payment, act, event } of settlements) {
    const [row] = await superuser`
      select p.status, p.version::text as version, p.complete_time is not null as completed,
        (select count(*)::int from psp_tasks where id = p.id) as tasks,
        (select count(*)::int from strongroom.outbox where event_id = ${event.eventId}) as events,
        (select jsonb_agg(record) from strongroom.outbox
          where record ->> 'resourceId' = p.id::text and record -> 'details' ->> 'operation' = 'UPDATE'
            and record ->> 'actorName' = 'psp') as records,
        (select array_agg(a.name || ' ' || e.minor_units order by a.name) from ledger_transactions t
          join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
          where t.payment_id = p.id and (a.user_id is null or a.user_id = p.recipient_id)) as entries
      from payments p where id = ${payment.id}`;
    t.match(row, {
      ...{ status: 'completed', version: '3', completed: true, tasks: 0, events: 1 },
      entries: ['psp_clearing -1050', 'user 1050'],
      records: [{ requestId: act.requestId, actorKind: 'service', details: { rows: '1', columns: /status/ } }],
    });
    t.equal(row?.['records'].length, 1, 'one record a payment');
  }
  const accounts =
    await superuser`select 1 from ledger_accounts where user_id = ${settlements[0]?.payment.recipientId ?? ''}`;
  t.equal(accounts.length, 1, 'and all of them one account');
});

t.test('F16, F34, F37: in one statement, each that must not be written is left out alone', async (t) => {
  const all = await handedOver(11);
  const [moved, held, takenOver, repeated, twice, broken, ...good] = all as [Settlement, ...Settlement[]] &
    Settlement[];
  if (!moved || !held || !takenOver || !repeated || !twice || !broken) throw new Error('too few payments');
  await superuser`
    update payments set status = 'cancelled', version = 3 where id = ${moved.payment.id}`;
  const holder = await superuser.reserve();
  await holder`begin`;
  await holder`select 1 from payments where id = ${held.payment.id} for update`;
  const [claim] = (await claimTasks(fixture.database, leaseMs, 100)).filter(({ id }) => id === takenOver.payment.id);
  if (claim === undefined) throw new Error('no task was claimed');
  await superuser`update psp_tasks set fence = fence + 1 where id = ${claim.id}`;
  const message: PspNotification = {
    ...{ eventId: 'evt_taken', type: 'charge.completed', reference: repeated.payment.id },
    ...{ subject: 'charge', outcome: undefined, currencyCode: 'EUR', minorUnits: 1_050n },
  };
  await superuser`
    insert into psp_webhook_events (event_id, type, reference, applied, note)
    values (${message.eventId}, ${message.type}, ${message.reference}, false, '')`;
  const told = await Promise.allSettled(
    [
      moved,
      held,
      { ...takenOver, task: claim },
      { ...repeated, message },
      settlementOf(broken.payment, 'x'.repeat(256)),
      ...good,
    ].map((settlement) => deps.writeSettlement(settlement)),
  );
  const answers = told.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.code));
  t.same(answers, [false, false, false, false, '23514', ...good.map(() => true)]);
  const both = [twice, settlementOf(twice.payment)].map((settlement) => deps.writeSettlement(settlement));
  t.same(await Promise.all(both), [true, false], 'of two that end one payment the first does');
  await holder`rollback`;
  holder.release();
  const left = [moved, held, takenOver, repeated, broken].map(({ payment }) => payment.id);
  const posted = await superuser`select 1 from ledger_transactions where payment_id = any(${left})`;
  t.equal(posted.length, 0, 'nothing is left of what was not written');
  const tasks = await superuser`select 1 from psp_tasks where id = any(${left})`;
  t.equal(tasks.length, left.length, 'and their tasks stand');
  t.equal(await deps.writeSettlement(held), true, 'one that was held can be written later');
  const found = await checkInvariants(superuser, { journal: () => [] });
  t.same(
    found.filter((each) => !/not paid|_CANCELLED/.test(each)),
    [],
    'I3–I5',
  );
});
