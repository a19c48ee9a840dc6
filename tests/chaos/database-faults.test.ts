// PostgreSQL restarted, killed, slow, locked, exhausted and read-only, under load, on one system.
import { createFaultProxy, until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/support/ports.ts';
import { identityOf, waitUntilGone } from '../../scripts/support/process-table.ts';
import { startChaos } from './chaos-system.ts';
import type { ClientHistory } from './client-history.ts';
import { scrape } from './scrape.ts';

t.setTimeout(600_000);

const recoveryMs = 10_000;
/** Deadline of the contract for a payment, and what the way back takes on a busy machine. */
const deadlineMs = 6_000;
const [edgeMetrics, paymentsMetrics] = [await freePort(), await freePort()];
const chaos = await startChaos(t, {
  GATEWAY_METRICS_PORT: String(edgeMetrics),
  PAYMENTS_METRICS_PORT: String(paymentsMetrics),
});

function during(history: ClientHistory, startMs: number) {
  return history.attempts.filter((one) => one.startMs >= startMs && one.startMs < history.healMs);
}

function refusedSince(history: ClientHistory, startMs: number) {
  return during(history, startMs).filter(({ status }) => status === 503 || status === 504);
}

/** A database that is back at once is noticed by nobody: calls wait for it. */
async function someoneRefused(history: ClientHistory, startMs: number): Promise<void> {
  await until(() => refusedSince(history, startMs).length > 0, { timeoutMs: 20_000, what: 'a refusal' });
}

/** Each refusal says when to come again, and came before the deadline. */
function refusedWell(t: Test, history: ClientHistory, startMs: number): void {
  const refused = refusedSince(history, startMs);
  t.ok(refused.length > 0, `${refused.length} were refused meanwhile`);
  t.same(
    refused.filter(({ status, hasRetryAfter }) => status === 503 && !hasRetryAfter).map(({ route }) => route),
    [],
    'each 503 says when to come again',
  );
  const longest = Math.max(...refused.map((one) => one.endMs - one.startMs));
  t.ok(longest <= deadlineMs, `the longest took ${Math.round(longest)} ms`);
}

t.test(
  'F9: PostgreSQL is restarted, then killed: all that was acknowledged is there, and pools reconnect',
  async (t) => {
    const run = await chaos.run(t, 'f9');
    const startMs = performance.now();
    const pid = await chaos.pidOf('postgres');
    process.kill(pid, 'SIGINT');
    t.ok(await waitUntilGone(identityOf(pid), recoveryMs), 'a fast shutdown');
    await chaos.startEngines();
    await run.recovered(recoveryMs);
    run.history.healMs = Number.POSITIVE_INFINITY;
    await run.load.answered(50);
    await chaos.killEngine('postgres');
    await someoneRefused(run.history, startMs);
    await chaos.startEngines();
    await run.recovered(recoveryMs);
    refusedWell(t, run.history, startMs);
    t.same(await run.end(), []);
  },
);

/** What payments was asked for what the edge took in, since `mark`. */
async function amplification(): Promise<() => Promise<number>> {
  const count = async () => ({
    edge: await scrape(edgeMetrics, 'http_requests_total', /\/payments|\/ledger/),
    payments: await scrape(paymentsMetrics, 'rpc_server_requests_total', /(Create|Get|List)(Payment|Balances)/),
  });
  const mark = await count();
  return async () => {
    const now = await count();
    return (now.payments - mark.payments) / (now.edge - mark.edge);
  };
}

t.test('F10: a lock held costs those who need it a 503 within their deadline, and nobody else anything', async (t) => {
  const run = await chaos.run(t, 'f10-lock');
  const startMs = performance.now();
  const amplified = await amplification();
  const held = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holder = chaos.databases.payments.begin(async (sql) => {
    await sql`lock table payments in access exclusive mode`;
    locked.resolve();
    await held.promise;
  });
  await locked.promise;
  await run.load.answered(60);
  const others = during(run.history, startMs).filter(({ route }) => /auth|profile/.test(route));
  t.same(
    others.filter(({ status }) => status !== 200),
    [],
    `${others.length} calls of other services went on`,
  );
  held.resolve();
  await holder;
  await run.recovered(recoveryMs);
  refusedWell(t, run.history, startMs);
  const factor = await amplified();
  t.ok(factor <= 1.2, `payments saw ${factor.toFixed(2)} calls for one at the edge`);
  t.same(await run.end(), []);
});

t.test('F10: a database that answers five seconds late costs callers their deadline and no more', async (t) => {
  const plan = chaos.plans.find(({ name }) => name === 'payments');
  const url = plan?.environment['DATABASE_URL'] ?? '';
  const proxy = await createFaultProxy({ target: url });
  t.teardown(() => proxy.close());
  await chaos.kill('payments');
  await chaos.restart('payments', { DATABASE_URL: proxy.urlFor(url) });
  const run = await chaos.run(t, 'f10-slow');
  const startMs = performance.now();
  proxy.delay(5_000);
  await run.load.answered(40);
  proxy.delay(0);
  await run.recovered(recoveryMs);
  refusedWell(t, run.history, startMs);
  t.same(await run.end(), []);
  await chaos.kill('payments');
  await chaos.restart('payments');
});

t.test(
  'F11: with every connection held callers get 503, the process stays alive, and is ready again at once',
  async (t) => {
    const run = await chaos.run(t, 'f11');
    const held = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const startMs = performance.now();
    const holder = chaos.databases.payments.begin(async (sql) => {
      await sql`lock table payments in access exclusive mode`;
      locked.resolve();
      await held.promise;
    });
    await locked.promise;
    let isHeld = true;
    const [ada] = chaos.people;
    const crowd = Array.from({ length: 30 }, async () => {
      while (isHeld) await ada?.get('/payments', { token: ada.token }).catch(() => undefined);
    });
    await until(async () => !(await chaos.isReady('payments')), {
      timeoutMs: 20_000,
      what: 'payments not being ready',
    });
    t.ok(await chaos.isLive('payments'), 'alive, so nobody restarts it');
    await someoneRefused(run.history, startMs);
    held.resolve();
    await holder;
    isHeld = false;
    await run.recovered(5_000);
    await Promise.all(crowd);
    refusedWell(t, run.history, startMs);
    t.same(await run.end(), []);
  },
);

t.test(
  'F12: a database that takes no writes answers reads, and writes with 503, and leaves nothing half done',
  async (t) => {
    const run = await chaos.run(t, 'f12');
    const { payments } = chaos.databases;
    const setReadOnly = async (value: 'on' | 'off') => {
      await payments.unsafe(`alter system set default_transaction_read_only = ${value}`);
      await payments`select pg_reload_conf()`;
    };
    await setReadOnly('on');
    await until(
      async () => (await payments`show default_transaction_read_only`)[0]?.['default_transaction_read_only'] === 'on',
    );
    const startMs = performance.now();
    await run.load.answered(80);
    const seen = during(run.history, startMs);
    const reads = seen.filter(({ route }) => route.startsWith('GET'));
    t.ok(reads.length > 0);
    t.same(
      reads.filter(({ status }) => status !== 200).map(({ route, status }) => `${route} ${status}`),
      [],
      'reads go on',
    );
    const writes = seen.filter(({ route }) => route.startsWith('POST'));
    t.same([...new Set(writes.map(({ status }) => status))], [503], 'writes are refused for now');
    await payments.begin(async (sql) => {
      await sql`set local transaction_read_only = off`;
    });
    await payments.unsafe('set default_transaction_read_only = off');
    await setReadOnly('off');
    await run.recovered(recoveryMs);
    t.same(await run.end(), []);
  },
);
