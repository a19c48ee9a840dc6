import { Criticality } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, isServiceError, readServiceError } from '@strongroom/platform/errors';
import {
  backoffMs,
  createBreaker,
  createBulkhead,
  createConcurrencyLimit,
  createRetryBudget,
  pause,
} from '@strongroom/platform/resilience';
import { createMetrics } from '@strongroom/platform/telemetry';
import { until } from '@strongroom/testkit';
import t from 'tap';

t.test('S5.1: a breaker opens on failures, answers at once, and closes by itself', async (t) => {
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  let isDown = true;
  let runs = 0;
  const breaker = createBreaker(
    'db',
    async (value: number) => {
      runs += 1;
      if (isDown) throw new Error('down');
      return value;
    },
    { volumeThreshold: 4, resetTimeoutMs: 20, metrics },
  );
  t.teardown(() => breaker.close());
  for (let count = 0; count < 4; count++) await t.rejects(breaker.run(1), /down/);
  t.equal(breaker.state(), 'open');
  t.equal(await metrics.value('circuit_breaker_state', { name: 'db' }), 2);
  const before = runs;
  const error = await breaker.run(1).catch((cause: unknown) => cause);
  t.ok(isServiceError(error, 'UNAVAILABLE'));
  t.equal(runs, before, 'nothing reaches what is down');
  isDown = false;
  t.equal(await until(() => breaker.run(7)), 7);
  t.equal(breaker.state(), 'closed');
  t.equal(await metrics.value('circuit_breaker_events_total', { name: 'db', event: 'open' }), 1);
});

t.test('S5.1: the caller’s own faults never open a breaker', async (t) => {
  const breaker = createBreaker('x', () => Promise.reject(commonErrors.NOT_FOUND()), {
    volumeThreshold: 2,
    isFailure: (error) => !isServiceError(error, 'NOT_FOUND'),
  });
  t.teardown(() => breaker.close());
  for (let count = 0; count < 50; count++) await t.rejects(breaker.run());
  t.equal(breaker.state(), 'closed');
});

t.test('S5.2: a retry costs what twenty-five calls pay', async (t) => {
  const budget = createRetryBudget();
  let retries = 0;
  for (let call = 0; call < 1_000; call++) {
    budget.recordCall();
    while (budget.tryRetry()) retries += 1;
  }
  t.ok(retries <= 50, `${retries} retries of 1000 calls`);
  t.ok(retries >= 40);
});

t.test('S5.2: 100 ms, doubled, at most 5 s, with full jitter', async (t) => {
  const most = (attempt: number) => backoffMs(attempt, { random: () => 1 });
  t.same([0, 1, 2, 3, 6, 20].map(most), [100, 200, 400, 800, 5_000, 5_000]);
  t.equal(backoffMs(3, { random: () => 0 }), 0);
});

t.test('S5.2: a pause ends with its signal', async (t) => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort(new Error('gone'));
  await t.rejects(paused, /gone/);
  await t.rejects(pause(1, controller.signal), /gone/);
  await pause(1);
});

/** A server in virtual time: it works on `capacity` calls at once, the others wait. */
function simulate(
  limit: ReturnType<typeof createConcurrencyLimit>,
  clock: { nowMs: number },
  capacity: number,
  workMs: number,
) {
  const running: { doneMs: number; release: () => void }[] = [];
  return {
    offer(criticality: Criticality): boolean {
      const permit = limit.tryEnter(criticality, 'call');
      if (permit === undefined) return false;
      const ahead = running.map(({ doneMs }) => doneMs).sort((a, b) => a - b);
      const startMs = ahead.length < capacity ? clock.nowMs : (ahead[ahead.length - capacity] ?? clock.nowMs);
      running.push({ doneMs: Math.max(startMs, clock.nowMs) + workMs, release: () => permit.release('ok') });
      return true;
    },
    step(toMs: number): void {
      for (;;) {
        const next = running.filter(({ doneMs }) => doneMs <= toMs).sort((a, b) => a.doneMs - b.doneMs)[0];
        if (next === undefined) break;
        running.splice(running.indexOf(next), 1);
        clock.nowMs = next.doneMs;
        next.release();
      }
      clock.nowMs = toMs;
    },
  };
}

t.test('B-shed: at three times its capacity a service keeps nearly all money calls, and recovers', async (t) => {
  const clock = { nowMs: 0 };
  const limit = createConcurrencyLimit({ name: 'test', now: () => clock.nowMs });
  const [capacity, workMs] = [10, 20]; // 500 calls a second
  const server = simulate(limit, clock, capacity, workMs);
  const kinds = [Criticality.CRITICAL, Criticality.NORMAL, Criticality.SHEDDABLE];
  const phase = (seconds: number, perSecond: number) => {
    const taken = new Map(kinds.map((kind) => [kind, 0]));
    let offered = 0;
    for (let index = 0; index < seconds * perSecond; index++) {
      server.step(clock.nowMs + 1_000 / perSecond);
      const kind = kinds[index % kinds.length] ?? Criticality.NORMAL;
      offered += kind === Criticality.CRITICAL ? 1 : 0;
      if (server.offer(kind)) taken.set(kind, (taken.get(kind) ?? 0) + 1);
    }
    return { taken, offered };
  };
  const calm = phase(10, 300);
  t.same([...calm.taken.values()], [1_000, 1_000, 1_000], 'nothing is shed without need');
  phase(5, 1_500);
  const storm = phase(20, 1_500);
  const money = storm.taken.get(Criticality.CRITICAL) ?? 0;
  t.ok((storm.taken.get(Criticality.SHEDDABLE) ?? 0) < money * 0.5, 'reports go first');
  t.ok(limit.limit() < 100, `the limit comes down: ${limit.limit()}`);
  t.ok(money >= storm.offered * 0.9, `${money} of ${storm.offered} money calls, which alone fill the capacity`);
  phase(5, 300);
  const after = phase(10, 300);
  t.same([...after.taken.values()], [1_000, 1_000, 1_000], 'and all is well again');
});

t.test(
  'B-shed: places that become free go to what matters most; what waits too long or too many is shed',
  async (t) => {
    const metrics = createMetrics({ name: 'test', processMetrics: false });
    const bulkhead = createBulkhead({ name: 'test', max: 1, waitersMax: 3, metrics });
    const order: string[] = [];
    const enter = (name: keyof typeof Criticality, remainingMs = 600_000) =>
      Promise.resolve(bulkhead.enter(Criticality[name], remainingMs)).then(
        () => order.push(name),
        (error) => order.push(`${name} ${readServiceError(error)?.reason}`),
      );
    await enter('NORMAL');
    const waiting = (['SHEDDABLE', 'NORMAL', 'IMPORTANT', 'CRITICAL', 'SHEDDABLE'] as const).map((name) => enter(name));
    await Promise.all([waiting[0], waiting[4]]);
    for (let count = 0; count < 3; count++) bulkhead.leave();
    await Promise.all(waiting);
    t.same(order.slice(0, 3).sort(), ['NORMAL', 'SHEDDABLE OVERLOADED', 'SHEDDABLE OVERLOADED'], 'no room for reports');
    t.same(order.slice(3), ['CRITICAL', 'IMPORTANT', 'NORMAL']);
    await enter('CRITICAL', 1);
    t.equal(order.at(-1), 'CRITICAL OVERLOADED', 'none waits beyond its deadline');
    const shed = (['CRITICAL', 'IMPORTANT', 'SHEDDABLE'] as const).map((name) => enter(name, 1_000));
    await Promise.all(shed);
    t.same(
      order.slice(-3),
      ['SHEDDABLE', 'IMPORTANT', 'CRITICAL'].map((name) => `${name} OVERLOADED`),
      'money waits longest',
    );
    bulkhead.leave();
    t.same([bulkhead.active, bulkhead.waiting], [0, 0]);
    t.equal(await metrics.value('load_shed_total', { criticality: 'sheddable' }), 3);
  },
);

t.test('B-shed: a permit is given back once', async (t) => {
  const limit = createConcurrencyLimit({ name: 'test', initial: 4, min: 4, max: 4 });
  const permits = [1, 2, 3, 4].map(() => limit.tryEnter(Criticality.CRITICAL, 'x'));
  t.ok(permits.every((permit) => permit !== undefined));
  t.equal(limit.tryEnter(Criticality.CRITICAL, 'x'), undefined);
  permits[0]?.release('ok');
  permits[0]?.release('ok');
  t.equal(limit.inFlight(), 3);
});
