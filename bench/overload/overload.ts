import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { CallOptions } from '@connectrpc/connect';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { createServiceClient, forward, type ServiceClient } from '@strongroom/platform/rpc';
import { createTestNats, createTestRedis } from '@strongroom/testkit';
import type { Test } from 'tap';
import { spawnPayments } from '../../services/payments/test/child-process.ts';
import { startSurroundings } from '../../services/payments/test/payments-fixture.ts';
import { withEngines } from '../engines.ts';
import { median } from '../measure.ts';

type Kind = 'money' | 'read' | 'report';

/** Two of ten calls are payments, five are lists, three are reports. */
const mix: readonly Kind[] = ['read', 'money', 'report', 'read', 'read', 'report', 'money', 'read', 'report', 'read'];
const capacityCallers = 24;
const rounds = 3;
const warmUpMs = 5_000;
const capacityMs = 5_000;
const stormMs = 10_000;
/** The limit has this long to find its place before the storm counts. */
const stormStartMs = 3_000;
const recoveryMaxMs = 30_000;
const recoveryWindowMs = 500;
const overload = 3;
const tickMs = 5;
const dayMs = 86_400_000;

/**
 * What is kept of money calls at three times the capacity, and how long the service needs afterwards (B-shed). Payments
 * are due tomorrow: what the provider sends back would be load of its own.
 */
export async function runOverload(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const closers: (() => unknown)[] = [];
    try {
      return await measure(await startTarget({ teardown: (close) => void closers.push(close) }));
    } finally {
      for (const close of closers.reverse()) await close();
    }
  });
}

type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;
/** Whether the call was answered. */
type Send = (kind: Kind) => Promise<boolean>;

async function startTarget(test: { teardown(close: () => unknown): void }): Promise<Send> {
  const around = await startSurroundings(test as Test);
  const [nats, redis] = [await createTestNats(), await createTestRedis()];
  test.teardown(() => Promise.all([nats.close(), redis.close()]));
  const { waitForLog } = await spawnPayments(around, nats.url, redis.url);
  const { port } = await waitForLog(({ msg }) => msg === 'payments is up', 1_000);
  const payments = createServiceClient(PaymentsService, { name: 'payments', url: `http://127.0.0.1:${port}` });
  test.teardown(() => payments.close());
  return createSender(payments, around);
}

/** Calls as the edge makes them, by the same client. */
function createSender(payments: ServiceClient<typeof PaymentsService>, { auth, tokens }: Surroundings): Send {
  const [sender, recipient] = [auth.addPerson({ role: 'VENDOR' }), auth.addPerson()];
  const accessToken = tokens.token({ userId: sender.id, role: 'VENDOR' });
  const payment = {
    type: PaymentType.SCHEDULED,
    amount: { currencyCode: 'EUR', minorUnits: 1_050n },
    recipientId: recipient.id,
    description: 'Rent, November',
    scheduledAt: timestampFromDate(new Date(Date.now() + dayMs)),
  };
  const calls: Readonly<Record<Kind, (by: CallOptions) => Promise<unknown>>> = {
    money: (by) => payments.createPayment(payment, by),
    read: (by) => payments.listPayments({ pageSize: 20 }, by),
    report: (by) => payments.getReport({}, by),
  };
  return (kind) => {
    const requestId = randomUUID();
    return calls[kind](forward({ requestId, accessToken, idempotencyKey: requestId })).then(
      () => true,
      (error: unknown) => {
        if (isServiceError(error, 'OVERLOADED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED')) return false;
        throw error;
      },
    );
  };
}

interface Counts {
  offered: number;
  answered: number;
}

/** Capacity and storm in turn, so that both are measured on the same machine when its speed drifts. */
async function measure(send: Send): Promise<Record<string, number>> {
  const figures: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    await callInTurn(send, warmUpMs);
    const capacity = await callInTurn(send, capacityMs);
    const offeredPerSecond = capacity.perSecond * overload;
    await callAtRate(send, offeredPerSecond, stormStartMs);
    const storm = await callAtRate(send, offeredPerSecond, stormMs);
    const share = ({ offered, answered }: Counts) => answered / offered;
    const moneyPerSecond = storm.money.answered / (stormMs / 1_000);
    figures.push({
      capacity_per_second: capacity.perSecond,
      money_at_capacity_per_second: capacity.money,
      money_in_storm_per_second: moneyPerSecond,
      money_kept_ratio: moneyPerSecond / capacity.money,
      money_answered_share: share(storm.money),
      reads_answered_share: share(storm.read),
      reports_answered_share: share(storm.report),
      recovery_ms: await timeToRecover(send, capacity.perSecond / 2),
    });
  }
  const names = Object.keys(figures[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(figures.map((one) => one[name] ?? 0))]));
}

/** As many callers as keep the service busy, each waiting for its answer: what it can do. */
async function callInTurn(send: Send, durationMs: number): Promise<{ perSecond: number; money: number }> {
  const endMs = performance.now() + durationMs;
  let next = 0;
  const answered: Kind[] = [];
  const caller = async () => {
    while (performance.now() < endMs) {
      const kind = mix[next++ % mix.length] ?? 'read';
      if (await send(kind)) answered.push(kind);
    }
  };
  await Promise.all(Array.from({ length: capacityCallers }, caller));
  const seconds = durationMs / 1_000;
  return {
    perSecond: answered.length / seconds,
    money: answered.filter((kind) => kind === 'money').length / seconds,
  };
}

/** So many calls a second, whether they are answered or not, as people make them. */
async function callAtRate(send: Send, perSecond: number, durationMs: number): Promise<Record<Kind, Counts>> {
  const counts = { money: count(), read: count(), report: count() };
  const startMs = performance.now();
  const pending = new Set<Promise<void>>();
  for (let sent = 0; performance.now() - startMs < durationMs; await delay(tickMs)) {
    for (const due = ((performance.now() - startMs) * perSecond) / 1_000; sent < due; sent++) {
      const kind = mix[sent % mix.length] ?? 'read';
      counts[kind].offered += 1;
      const call = send(kind).then((isAnswered) => {
        if (isAnswered) counts[kind].answered += 1;
        pending.delete(call);
      });
      pending.add(call);
    }
  }
  await Promise.all(pending);
  return counts;
}

const count = (): Counts => ({ offered: 0, answered: 0 });

/** Until half a second passes in which every call is answered. */
async function timeToRecover(send: Send, perSecond: number): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < recoveryMaxMs) {
    const passedMs = performance.now() - startMs;
    const counts = await callAtRate(send, perSecond, recoveryWindowMs);
    if (Object.values(counts).every(({ offered, answered }) => offered === answered)) return passedMs;
  }
  return recoveryMaxMs;
}
