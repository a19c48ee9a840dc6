// Charges that are handed over at once are written together: what each one's must not notice of the others.
import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Payment } from '../src/payment/payment.ts';
import { findPayment } from '../src/payment/payment-store.ts';
import type { ChargeProgress } from '../src/psp/progress-store.ts';
import { claimTasks, type PspTask } from '../src/psp/psp-task-store.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, startPayments } from './payments-fixture.ts';

const leaseMs = 60_000;
const facts = { actorId: null, actorKind: 'psp', reason: 'test' } as const;
const fixture = await startPayments(t, { workers: false });
const { superuser, deps } = fixture;

/** Payments whose charges are claimed, and the step that hands each to the provider. */
async function claimed(count: number): Promise<ChargeProgress[]> {
  const { sender, recipient } = await fixture.pair();
  const made = await Promise.all(
    Array.from({ length: count }, () =>
      fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, randomUUID())),
    ),
  );
  const ids = new Set(made.map(({ payment }) => payment?.id));
  const tasks = (await claimTasks(fixture.database, leaseMs, 1_000)).filter(({ id }) => ids.has(id));
  t.equal(tasks.length, count);
  return tasks.map(handOver);
}

function handOver(task: PspTask): ChargeProgress {
  return { task, from: { status: 'pending' }, transactionId: null, facts, nextDelayMs: null };
}

const delayOf = async (id: string): Promise<number> => {
  const [row] = await superuser`
    select extract(epoch from next_attempt_time - now())::float8 as seconds from psp_tasks where id = ${id}`;
  return row?.['seconds'];
};

t.test('B-ledger, S4.4: each charge is handed over, then taken, with a change and a record of its own', async (t) => {
  const steps = await claimed(20);
  const payments = await Promise.all(steps.map((step) => deps.writeProgress(step)));
  const taken = await Promise.all(
    steps.map((step, index) =>
      deps.writeProgress({
        ...step,
        from: payments[index] as Payment,
        transactionId: `ch_${index}`,
        nextDelayMs: 3_600_000,
      }),
    ),
  );
  for (const [index, { task }] of steps.entries()) {
    t.match(payments[index], { id: task.id, status: 'processing', version: 2n, pspTransactionId: null });
    t.same(taken[index], await findPayment(fixture.database, task.id), 'answered as it is');
    t.match(taken[index], { status: 'processing', version: 3n, pspTransactionId: `ch_${index}` });
    t.ok((await delayOf(task.id)) > 3_500, 'its task is due again after the delay');
    const records = await superuser`
      select record from strongroom.outbox
      where record ->> 'resourceId' = ${task.id} and record -> 'details' ->> 'operation' = 'UPDATE'
        and record ->> 'resourceType' = 'payment' and record ->> 'actorName' = 'payments'`;
    t.equal(records.length, 2, 'a record a change');
  }
  const ids = steps.map(({ task }) => task.id);
  const statements = await superuser`select distinct xmin::text from payments where id = any(${ids})`;
  t.equal(statements.length, 2, 'two transactions of ten');
  t.same(await checkInvariants(superuser, { journal: () => [] }), [], 'I3–I5');
});

t.test('F34, F37: in one statement, each that must not be written is left out alone', async (t) => {
  const all = await claimed(7);
  const [moved, held, takenOver, changed, ...good] = all as [ChargeProgress, ...ChargeProgress[]] & ChargeProgress[];
  if (!moved || !held || !takenOver || !changed) throw new Error('too few payments');
  await superuser`
    update payments set status = 'cancelled', version = 2 where id = ${moved.task.id}`;
  await superuser`update psp_tasks set fence = fence + 1 where id = ${takenOver.task.id}`;
  const seen = await deps.writeProgress(changed);
  if (seen === undefined) throw new Error('not handed over');
  const first: ChargeProgress = { ...changed, from: seen, transactionId: 'ch_first' };
  t.match(await deps.writeProgress(first), { pspTransactionId: 'ch_first' });
  const holder = await superuser.reserve();
  await holder`begin`;
  await holder`select 1 from payments where id = ${held.task.id} for update`;
  const second: ChargeProgress = { ...first, transactionId: 'ch_second', nextDelayMs: 3_600_000 };
  const told = await Promise.all([moved, held, takenOver, second, ...good].map((step) => deps.writeProgress(step)));
  t.same(
    told.map((payment) => payment?.status),
    [undefined, undefined, undefined, undefined, 'processing', 'processing', 'processing'],
  );
  await holder`rollback`;
  holder.release();
  const left = [moved, held, takenOver].map(({ task }) => task.id);
  const rows = await superuser`
    select id, status, version::int as version from payments where id = any(${left}) order by array_position(${left}::uuid[], id)`;
  t.match(rows, [
    { status: 'cancelled', version: 2 },
    { status: 'pending', version: 1 },
    { status: 'pending', version: 1 },
  ]);
  t.equal((await findPayment(fixture.database, changed.task.id))?.pspTransactionId, 'ch_first');
  t.ok((await delayOf(changed.task.id)) < 100, 'nor is its task put off');
  t.match(await deps.writeProgress(held), { status: 'processing' }, 'one that was held can be written later');
});
