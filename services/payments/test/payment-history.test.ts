// B-ledger: random histories against the real database. The model is a few lines of arithmetic; after every history its
// numbers are the database's, whatever order things came in. A thousand through the API, many at once: tests/chaos.
import { randomUUID } from 'node:crypto';
import { serviceAct } from '@strongroom/platform/database';
import fc from 'fast-check';
import t from 'tap';
import type { Payment, PaymentStatus } from '../src/payment/payment.ts';
import { changeStatus, findPayment, lockPayment } from '../src/payment/payment-store.ts';
import type { PspOutcome } from '../src/psp/psp.ts';
import { settleCharge } from '../src/psp/settle-charge.ts';
import { settleRefund } from '../src/psp/settle-refund.ts';
import { decideRefund, type Refund } from '../src/refund/refund.ts';
import { findRefund, insertRefund } from '../src/refund/refund-store.ts';
import { runHistories } from './concurrent-histories.ts';
import { checkInvariants } from './invariants.ts';
import { type PaymentsFixture, startPayments } from './payments-fixture.ts';

const historiesCount = 120;
const concurrentCount = 40;
const stepsMax = 12;
const parallelMax = 8;
const currency = 'EUR';
const act = serviceAct('payments');
const facts = { actorId: null, actorKind: 'psp', reason: 'model' } as const;

type Step =
  | { readonly kind: 'charge'; readonly outcome: 'processing' | 'completed' | 'failed' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'refund'; readonly minorUnits: bigint }
  | { readonly kind: 'settle-refund'; readonly index: number; readonly outcome: 'completed' | 'failed' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('charge' as const), outcome: fc.constantFrom('processing', 'completed', 'failed') }),
  fc.record({ kind: fc.constant('charge' as const), outcome: fc.constant('completed' as const) }),
  fc.record({ kind: fc.constant('cancel' as const) }),
  fc.record({ kind: fc.constant('refund' as const), minorUnits: fc.bigInt({ min: 1n, max: 120n }) }),
  fc.record({
    kind: fc.constant('settle-refund' as const),
    index: fc.nat({ max: 3 }),
    outcome: fc.constantFrom('completed', 'failed'),
  }),
);

/** What must be true of a payment of 100 after some steps. */
interface Model {
  status: PaymentStatus;
  refunds: { minorUnits: bigint; status: 'processing' | 'completed' | 'failed' }[];
}

const total = 100n;

function refunded({ refunds }: Model, ...statuses: string[]): bigint {
  return refunds.filter(({ status }) => statuses.includes(status)).reduce((sum, each) => sum + each.minorUnits, 0n);
}

function applyToModel(model: Model, next: Step): void {
  const isOpen = model.status === 'pending' || model.status === 'processing';
  if (next.kind === 'charge' && isOpen) model.status = next.outcome;
  if (next.kind === 'cancel' && model.status === 'pending') model.status = 'cancelled';
  if (next.kind === 'refund') {
    const canRefund = model.status === 'completed' || model.status === 'partially_refunded';
    const left = total - refunded(model, 'processing', 'completed');
    if (canRefund && next.minorUnits <= left) model.refunds.push({ minorUnits: next.minorUnits, status: 'processing' });
  }
  if (next.kind === 'settle-refund') {
    const refund = model.refunds[next.index];
    if (refund?.status !== 'processing') return;
    refund.status = next.outcome;
    const done = refunded(model, 'completed');
    if (done > 0n) model.status = done === total ? 'refunded' : 'partially_refunded';
  }
}

function outcomeOf(kind: 'processing' | 'completed' | 'failed'): PspOutcome {
  if (kind !== 'failed') return { kind, transactionId: 'tx' };
  return { kind, transactionId: 'tx', failureCode: 'declined', failureReason: 'declined' };
}

async function applyToDatabase(
  { database }: PaymentsFixture,
  id: string,
  refundIds: string[],
  next: Step,
): Promise<void> {
  await database.transaction(act, async (tx) => {
    const payment = (await lockPayment(tx, id)) as Payment;
    if (next.kind === 'charge') await settleCharge(tx, act, payment, outcomeOf(next.outcome), facts);
    if (next.kind === 'cancel' && payment.status === 'pending')
      await changeStatus(tx, payment, { status: 'cancelled' }, facts);
    if (next.kind === 'refund') await refundStep(tx, payment, refundIds, next.minorUnits);
    if (next.kind === 'settle-refund') {
      const refund = await findRefund(tx, refundIds[next.index] ?? randomUUID());
      if (refund !== undefined) await settleRefund(tx, act, payment, refund, outcomeOf(next.outcome), facts);
    }
  });
}

async function refundStep(
  tx: Parameters<typeof insertRefund>[0],
  payment: Payment,
  refundIds: string[],
  wanted: bigint,
): Promise<void> {
  let minorUnits: bigint;
  try {
    minorUnits = decideRefund(payment, { currencyCode: currency, minorUnits: wanted });
  } catch {
    return;
  }
  const refund: Refund = {
    id: randomUUID(),
    paymentId: payment.id,
    currencyCode: currency,
    minorUnits,
    status: 'processing',
    reason: '',
    actorId: payment.recipientId,
    pspTransactionId: null,
    createTime: new Date().toISOString(),
    completeTime: null,
  };
  await insertRefund(tx, refund);
  refundIds.push(refund.id);
}

t.test('B-ledger: after random histories every sum is zero and every number the model’s', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const run = async (steps: Step[]) => {
    const [row] = await fixture.superuser<{ id: string }[]>`
      insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description,
        create_time, update_time, change_actor_kind)
      values (gen_random_uuid(), 'instant', 'pending', ${currency}, ${String(total)}, ${sender.id}, ${recipient.id}, 'x',
        now(), now(), 'user') returning id`;
    const id = row?.id ?? '';
    const model: Model = { status: 'pending', refunds: [] };
    const refundIds: string[] = [];
    for (const next of steps) {
      applyToModel(model, next);
      await applyToDatabase(fixture, id, refundIds, next);
    }
    const payment = await findPayment(fixture.database, id);
    const seen = [payment?.status, payment?.refundedMinorUnits, payment?.reservedMinorUnits];
    t.same(seen, [model.status, refunded(model, 'completed'), refunded(model, 'processing')], fc.stringify(steps));
  };
  const seed = Math.trunc(Math.random() * 2 ** 31);
  t.comment(`seed ${seed}`);
  const histories = fc.sample(fc.array(step, { maxLength: stepsMax }), { numRuns: historiesCount, seed });
  // Several at once only so that they share the disk's time.
  const runner = async () => {
    for (let steps = histories.pop(); steps !== undefined; steps = histories.pop()) await run(steps);
  };
  await Promise.all(Array.from({ length: parallelMax }, runner));
  const found = await checkInvariants(fixture.superuser, { journal: () => [] });
  const ofLedger = found.filter((each) => !/not paid|_CREATED|_CANCELLED/.test(each));
  t.same(ofLedger, [], 'I4 over all of them');
  const sums = await fixture.superuser`select sum(minor_units)::text as sum from ledger_entries`;
  t.equal(sums[0]?.['sum'], '0');
});

t.test('B-ledger, F19: random histories at once through two instances end as their answers said', (t) =>
  runHistories(t, { count: concurrentCount, seed: Math.trunc(Math.random() * 2 ** 31) }),
);
