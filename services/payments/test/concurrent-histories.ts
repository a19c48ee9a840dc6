// Random histories through the API of two instances, many at once, each with its requests in parallel and repeated. The
// model is what the answers said: whatever was acknowledged must be there, once, and nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@connectrpc/connect';
import { PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import type { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Person } from './auth-upstream.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, type PaymentsFixture, startPayments } from './payments-fixture.ts';

/** Outcomes of the sandbox by amount (its README): declined, completed at once, twice, out of order, contradicting, lost. */
const amounts = [1_000n, 1_000n, 1_000n, 9_901n, 9_904n, 9_905n, 9_906n, 9_907n, 9_908n, 9_910n, 9_914n, 9_916n];
const declined: readonly bigint[] = [9_901n, 9_907n];
const parallelMax = 16;
const attemptsMax = 50;
const retryMs = 200;
const settledTimeoutMs = 60_000;

interface History {
  readonly minorUnits: bigint;
  /** How often the one key is sent at once. */
  readonly creates: number;
  /** Changes that race with the charge. */
  readonly races: readonly ('cancel' | 'edit')[];
  /** Refunds of shares of the amount, in hundredths, at once; each sent as often as it says. */
  readonly refunds: readonly { readonly share: number; readonly times: number }[];
}

const history: fc.Arbitrary<History> = fc.record({
  minorUnits: fc.constantFrom(...amounts),
  creates: fc.integer({ min: 1, max: 3 }),
  races: fc.array(fc.constantFrom('cancel', 'edit'), { maxLength: 2 }),
  refunds: fc.array(fc.record({ share: fc.integer({ min: 10, max: 100 }), times: fc.integer({ min: 1, max: 2 }) }), {
    maxLength: 3,
  }),
});

/** After these a client knows nothing, and asks again with the same key. */
const unknown = ['DEADLINE_EXCEEDED', 'IDEMPOTENCY_IN_PROGRESS', 'OVERLOADED', 'UNAVAILABLE'];
/** Refusals that the contract allows. */
const allowed = ['PAYMENT_NOT_CANCELLABLE', 'PAYMENT_NOT_PENDING', 'PAYMENT_NOT_REFUNDABLE', 'REFUND_EXCEEDS_PAYMENT'];

/** Runs `count` histories of a seed and holds each against its answers, then all of them against I1–I5. */
export async function runHistories(t: Test, { count, seed }: { count: number; seed: number }): Promise<void> {
  t.comment(`seed ${seed}`);
  const fixture = await startPayments(t, { instances: 2 });
  const clients = fixture.instances.flatMap(({ connect, connectBinary, grpc }) => [connect, connectBinary, grpc]);
  let turn = 0;
  const next = () => clients[turn++ % clients.length] ?? fixture.connect;
  const histories = fc.sample(history, { numRuns: count, seed });
  const broken: string[] = [];
  const running = Array.from({ length: parallelMax }, async () => {
    for (let given = histories.pop(); given !== undefined; given = histories.pop()) {
      broken.push(...(await play(fixture, next, given)));
    }
  });
  await Promise.all(running);
  t.same(broken, [], 'every answer is what became of its payment');
  await until(async () => (await fixture.superuser`select 1 from psp_tasks limit 1`).length === 0, {
    timeoutMs: settledTimeoutMs,
    what: 'nothing being left to do',
  });
  t.same(await checkInvariants(fixture.superuser, fixture.sandbox), [], 'I1–I5 over all of them');
  const made = await fixture.superuser`select count(*)::int as count from payments`;
  t.equal(made[0]?.['count'], count, 'one payment a key');
  const sums = await fixture.superuser`
    select currency_code from ledger_entries group by currency_code having sum(minor_units) <> 0`;
  t.same([...sums], [], 'the ledger sums to zero');
}

type Next = () => Client<typeof PaymentsService>;

async function play(fixture: PaymentsFixture, next: Next, given: History): Promise<string[]> {
  const { sender, recipient } = await fixture.pair();
  const broken: string[] = [];
  const request = instantPayment(recipient, given.minorUnits);
  const created = await answersOf(
    broken,
    Array.from({ length: given.creates }, () => () => next().createPayment(request, fixture.as(sender, 'create'))),
  );
  const ids = new Set(created.map(({ payment }) => payment?.id ?? ''));
  if (ids.size !== 1) broken.push(`${ids.size} ids for one key`);
  const [id = ''] = ids;
  const raced = await answersOf(
    broken,
    given.races.map((race, index) => async () => {
      const call = fixture.as(sender, `race-${index}`);
      if (race === 'cancel') return (await next().cancelPayment({ id }, call)).payment;
      return (await next().updatePayment({ id, description: `edit ${index}` }, call)).payment;
    }),
  );
  const isCancelled = raced.some((payment) => payment?.status === PaymentStatus.CANCELLED);
  await whenDecided(fixture, sender, id);
  const refunded = await refundAll(fixture, next, broken, { id, recipient, given });
  const final = await whenQuiet(fixture, sender, id);
  const wanted = wantedStatus(given, isCancelled, refunded);
  if (final.status !== wanted) broken.push(`${id} (${given.minorUnits}) is ${final.status}, its answers say ${wanted}`);
  if (final.refunded !== refunded) broken.push(`${id} gave back ${final.refunded}, acknowledged were ${refunded}`);
  return broken;
}

/** As a client should: until it knows what became of its request. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === attemptsMax || !unknown.includes(readServiceError(error)?.reason ?? '')) throw error;
      await delay(retryMs);
    }
  }
}

/** The answers of calls made at once. Each refusal must be one that the contract knows. */
async function answersOf<T>(broken: string[], calls: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results = await Promise.allSettled(calls.map(patiently));
  return results.flatMap((result) => {
    if (result.status === 'fulfilled') return [result.value];
    const reason = readServiceError(result.reason)?.reason ?? String(result.reason);
    if (!allowed.includes(reason)) broken.push(`answered ${reason}`);
    return [];
  });
}

interface RefundPlan {
  readonly id: string;
  readonly recipient: Person;
  readonly given: History;
}

/** The sum of what was acknowledged; a repetition must be answered with the same refund. */
async function refundAll(
  fixture: PaymentsFixture,
  next: Next,
  broken: string[],
  { id, recipient, given }: RefundPlan,
): Promise<bigint> {
  const sums = await Promise.all(
    given.refunds.map(async ({ share, times }, index) => {
      const amount = { currencyCode: 'EUR', minorUnits: (given.minorUnits * BigInt(share)) / 100n };
      const call = fixture.as(recipient, `refund-${id}-${index}`);
      const answers = await answersOf(
        broken,
        Array.from({ length: times }, () => () => next().refundPayment({ id, amount }, call)),
      );
      const made = new Map(answers.map(({ refund }) => [refund?.id, refund?.amount?.minorUnits ?? 0n]));
      if (made.size > 1) broken.push(`${made.size} refunds for one key`);
      return [...made.values()].reduce((sum, each) => sum + each, 0n);
    }),
  );
  return sums.reduce((sum, each) => sum + each, 0n);
}

function wantedStatus({ minorUnits }: History, isCancelled: boolean, refunded: bigint): string {
  if (isCancelled) return 'cancelled';
  if (declined.includes(minorUnits)) return 'failed';
  if (refunded === 0n) return 'completed';
  return refunded === minorUnits ? 'refunded' : 'partially_refunded';
}

async function whenDecided({ superuser }: PaymentsFixture, sender: Person, id: string): Promise<void> {
  await until(
    async () =>
      (
        await superuser`select 1 from payments where id = ${id} and sender_id = ${sender.id}
          and status not in ('pending', 'processing')`
      ).length === 1,
    { timeoutMs: settledTimeoutMs, what: `payment ${id} being decided` },
  );
}

async function whenQuiet({ superuser }: PaymentsFixture, sender: Person, id: string) {
  const quiet = async () => {
    const [row] = await superuser<{ status: string; refunded: string }[]>`
      select status, refunded_minor_units::text as refunded from payments p
      where id = ${id} and sender_id = ${sender.id} and reserved_minor_units = 0
        and not exists (select 1 from psp_tasks t where t.payment_id = p.id)`;
    return row;
  };
  const { status, refunded } = await until(quiet, { timeoutMs: settledTimeoutMs, what: `payment ${id} being quiet` });
  return { status, refunded: BigInt(refunded) };
}
