import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRateLimiter, flushLimits, type RateDecision } from '@strongroom/platform/limits';
import { createMetrics } from '@strongroom/platform/telemetry';
import { createFaultProxy, createTestRedis, until } from '@strongroom/testkit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t from 'tap';
import { createMemoryLog } from '../rpc/fixture.ts';

const hourMs = 3_600_000;

async function createFixture(t: { teardown(fn: () => unknown): void }) {
  const engine = await createTestRedis();
  const proxy = await createFaultProxy({ target: engine.url });
  const connect = async (url: string) => {
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    t.teardown(() => redis.disconnect());
    await once(redis, 'ready');
    return redis;
  };
  t.teardown(async () => {
    await proxy.close();
    await engine.close();
  });
  return {
    proxy,
    direct: await connect(engine.url),
    faulty: () => connect(proxy.urlFor(engine.url)),
    connect: () => connect(engine.url),
  };
}

/** Long enough for a machine that runs other tests at the same time; what happens at the timeout has tests of its own. */
const patience = { commandTimeoutMs: 10_000 };

const allowedOf = (decisions: readonly RateDecision[]) => decisions.filter(({ allowed }) => allowed).length;

t.test('S1.1a: instances share one budget, and nobody gets one more in a race', async (t) => {
  const { connect } = await createFixture(t);
  const limiters = [
    createRateLimiter({ redis: await connect(), ...patience }),
    createRateLimiter({ redis: await connect(), ...patience }),
  ];
  const rule = { max: 20, windowMs: hourMs };
  const decisions = await Promise.all(
    Array.from({ length: 100 }, (_, index) => limiters[index % 2]?.take('general', 'someone', rule)),
  );
  t.equal(allowedOf(decisions as RateDecision[]), 20);
  t.equal(Math.min(...decisions.map((decision) => decision?.remaining ?? -1)), 0);
  const refused = await limiters[0]?.take('general', 'someone', rule);
  t.match(refused, { allowed: false, limit: 20, remaining: 0 });
  t.ok(
    (refused?.retryAfterMs ?? 0) > 0 && (refused?.retryAfterMs ?? 0) <= hourMs,
    'nobody waits longer than the window',
  );
  t.match(await limiters[0]?.take('general', 'someone else', rule), { allowed: true, remaining: 19 });
  t.match(await limiters[0]?.take('auth', 'someone', rule), { allowed: true, remaining: 19 });
});

t.test('S1.1a: what has left the window counts no more, and what is in it still does', async (t) => {
  const { direct, connect } = await createFixture(t);
  const limiter = createRateLimiter({ redis: await connect(), ...patience });
  const rule = { max: 20, windowMs: hourMs };
  const nowMs = Date.now();
  const stored = [nowMs - hourMs, 17, nowMs - hourMs / 2, 3, nowMs - hourMs / 4, 16];
  await direct.eval(
    "return redis.call('SET', KEYS[1], cmsgpack.pack(cjson.decode(ARGV[1])))",
    1,
    'rl:x:y',
    JSON.stringify(stored),
  );
  t.match(await limiter.take('x', 'y', rule), { allowed: true, remaining: 0 });
  const refused = await limiter.take('x', 'y', rule);
  t.equal(refused.allowed, false);
  t.ok(refused.retryAfterMs > hourMs / 4 && refused.retryAfterMs <= hourMs / 2, 'until the three leave it');
});

t.test('S1.1e: counters can be forgotten', async (t) => {
  const { direct, connect } = await createFixture(t);
  const limiter = createRateLimiter({ redis: await connect(), ...patience });
  const rule = { max: 1, windowMs: hourMs };
  t.match(await limiter.take('auth', 'x', rule), { allowed: true });
  t.match(await limiter.take('auth', 'x', rule), { allowed: false });
  await direct.set('other', 'kept');
  t.equal(await flushLimits(direct), 1);
  t.match(await limiter.take('auth', 'x', rule), { allowed: true });
  t.equal(await direct.get('other'), 'kept');
});

t.test('S1.1a: requests are counted by what their key is, never by whom it names', async (t) => {
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  const limiter = createRateLimiter({ metrics });
  const keys = ['user:0190-aa', 'session:00ff', 'ip:192.0.2.1', 'ip:2001:db8::', 'ann@example.com', 'auth:192.0.2.1'];
  for (const key of keys) await limiter.take('general', key, { max: 1, windowMs: hourMs });
  await limiter.take('general', 'user:0190-aa', { max: 1, windowMs: hourMs });
  t.equal(await metrics.value('rate_limit_requests_total', { key: 'user', outcome: 'refused' }), 1);
  t.equal(await metrics.value('rate_limit_requests_total', { key: 'ip' }), 2);
  t.equal(await metrics.value('rate_limit_requests_total', { key: 'other' }), 2);
  t.notMatch(await metrics.registry.metrics(), /0190|00ff|192\.0|2001|ann/);
});

t.test('S1.1d: an instance that was busy while Redis answered does not take Redis for dead', async (t) => {
  const { connect } = await createFixture(t);
  const limiter = createRateLimiter({ redis: await connect(), commandTimeoutMs: 100 });
  const rule = { max: 5, windowMs: hourMs };
  const decision = limiter.take('general', 'someone', rule);
  // The command leaves, the answer comes, and nobody reads it until its time is up.
  await new Promise(setImmediate);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  t.match(await decision, { allowed: true, remaining: 4 });
  t.equal(limiter.isFallback(), false);
});

for (const fault of ['refuse', 'halfOpen'] as const) {
  t.test(
    `S1.1d: with Redis away (${fault}) limits go on per instance, and are shared again by themselves`,
    async (t) => {
      const { proxy, faulty } = await createFixture(t);
      const metrics = createMetrics({ name: 'test', processMetrics: false });
      const log = createMemoryLog();
      const limiter = createRateLimiter({ redis: await faulty(), logger: log.logger, metrics, commandTimeoutMs: 500 });
      const rule = { max: 10, windowMs: hourMs };
      const key = randomUUID();
      for (let count = 0; count < 4; count++) t.match(await limiter.take('general', key, rule), { allowed: true });
      proxy[fault]();
      const away = [];
      for (let count = 0; count < 30; count++) away.push(await limiter.take('general', key, rule));
      t.equal(allowedOf(away), 6, 'an outage hands out no fresh budget');
      t.equal(limiter.isFallback(), true);
      t.equal(await metrics.value('rate_limit_fallback_active'), 1);
      t.ok(log.entries.some(({ msg }) => msg?.includes('per instance')));
      proxy.heal();
      await until(async () => {
        await limiter.take('general', randomUUID(), rule);
        return !limiter.isFallback();
      });
      t.equal(await metrics.value('rate_limit_fallback_active'), 0);
      // Commands that ioredis held back during the outage may have been counted after it.
      const { remaining } = await limiter.take('general', key, rule);
      t.ok(remaining <= 5 && remaining >= 2, `the shared count goes on where it was: ${remaining}`);
    },
  );
}

t.test('S1.1a: in no window of time are more allowed than the rule says', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      // Steps within a slot, steps to just before the end of a window, and any.
      fc.array(
        fc.oneof(
          fc.integer({ min: 0, max: 31 }),
          fc.integer({ min: 940, max: 1_000 }),
          fc.integer({ min: 0, max: 700 }),
        ),
        {
          minLength: 1,
          maxLength: 80,
        },
      ),
      async (max, steps) => {
        let nowMs = 1_000_000;
        const limiter = createRateLimiter({ now: () => nowMs, localKeysMax: 10 });
        const rule = { max, windowMs: 1_000 };
        const allowed: number[] = [];
        for (const stepMs of steps) {
          nowMs += stepMs;
          const decision = await limiter.take('x', 'y', rule);
          if (decision.allowed) allowed.push(nowMs);
        }
        return allowed.every((start) => allowed.filter((at) => at >= start && at < start + 1_000).length <= max);
      },
    ),
    { numRuns: 2_000 },
  );
  t.ok(t.passing(), '2,000 histories');
});

t.test('S1.1c: who waits as long as he is told is let in, and no sooner', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 999 }),
      fc.integer({ min: 0, max: 1_999 }),
      async (max, first, second) => {
        let nowMs = 1_000_000 + first;
        const limiter = createRateLimiter({ now: () => nowMs, localKeysMax: 10 });
        const rule = { max, windowMs: 1_000 };
        for (let count = 0; count < max; count++) await limiter.take('x', 'y', rule);
        nowMs += second;
        let refused = await limiter.take('x', 'y', rule);
        for (let count = 0; refused.allowed && count <= max; count++) refused = await limiter.take('x', 'y', rule);
        if (refused.retryAfterMs > rule.windowMs || refused.resetMs > rule.windowMs) return false;
        nowMs += refused.retryAfterMs - 1;
        const early = await limiter.take('x', 'y', rule);
        nowMs += 1;
        const due = await limiter.take('x', 'y', rule);
        return !early.allowed && due.allowed;
      },
    ),
    { numRuns: 300 },
  );
  t.ok(t.passing(), '300 histories');
});
