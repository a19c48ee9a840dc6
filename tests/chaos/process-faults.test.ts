// Networks that swallow packets, wrong clocks, missing dependencies and new certificates, under load.

import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { createFaultProxy, spawnProcess, until } from '@strongroom/testkit';
import t from 'tap';
import { type EngineName, serviceNames } from '../../scripts/support/names.ts';
import { startChaos } from './chaos-system.ts';

t.setTimeout(600_000);

const recoveryMs = 60_000;
const rotationTimeoutMs = 120_000;
const chaos = await startChaos(t);

function planOf(name: string) {
  const plan = chaos.plans.find((one) => one.name === name);
  if (plan === undefined) throw new Error(`There is no process ${name}.`);
  return { ...plan, port: plan.ports[0]?.port ?? 0 };
}

async function restarted(name: 'gateway' | 'payments', more: Record<string, string> = {}): Promise<void> {
  await chaos.kill(name);
  await chaos.restart(name, more);
}

t.test(
  'F13: a service behind a half-open network costs its callers the deadline, and nobody else anything',
  async (t) => {
    const proxy = await createFaultProxy({ target: planOf('payments').port });
    t.teardown(() => proxy.close());
    await restarted('gateway', { PAYMENTS_URL: `https://127.0.0.1:${proxy.port}` });
    const run = await chaos.run(t, 'f13');
    const startMs = performance.now();
    proxy.halfOpen();
    await run.load.answered(50);
    const seen = run.history.attempts.filter((one) => one.startMs >= startMs);
    const ofPayments = seen.filter(({ route }) => /payments|ledger/.test(route));
    t.ok(ofPayments.length > 0);
    const statuses = [...new Set(ofPayments.map(({ status }) => status))];
    t.same(
      statuses.filter((status) => status !== 503 && status !== 504),
      [],
      `answered ${statuses}`,
    );
    t.same(
      seen.filter((one) => !ofPayments.includes(one) && one.status !== 200),
      [],
      'the other services are as they were',
    );
    proxy.heal();
    await run.recovered(recoveryMs);
    t.same(await run.end(), []);
    await restarted('gateway');
  },
);

t.test('F14: a service with a wrong clock judges tokens by its skew, and nothing it did is out of order', async (t) => {
  const preload = join(import.meta.dirname, 'shifted-clock.ts');
  const run = await chaos.run(t, 'f14');
  for (const [minutes, status] of [
    [-5, 401],
    [5, 200],
  ] as const) {
    const shift = { NODE_OPTIONS: `--import ${preload}`, CLOCK_SHIFT_MS: String(minutes * 60_000) };
    await restarted('payments', shift);
    const person = await chaos.person('clock');
    const ask = () => person.get('/payments', { token: person.token });
    // The edge's breaker is still open from the restart.
    await until(async () => (await ask()).status !== 503, { timeoutMs: recoveryMs, what: 'an answer of payments' });
    const answer = await ask();
    t.equal(answer.status, status, `${minutes} minutes: ${answer.text}`);
    t.equal((await person.get('/auth/me', { token: person.token })).status, 200, 'auth has its own clock');
  }
  await restarted('payments');
  await run.recovered(recoveryMs);
  t.same(await run.end(), []);
  const [ahead] = await chaos.databases.payments`
    select count(*)::int as count from payments where update_time < create_time or complete_time < create_time`;
  t.equal(ahead?.['count'], 0, 'no payment ends before it began');
});

const missing: readonly EngineName[] = ['postgres', 'redis', 'nats'];
for (const engine of missing) {
  t.test(`F40: payments starts without ${engine}, waits for it, and is ready once it is there`, async (t) => {
    const run = await chaos.run(t, `f40-${engine}`);
    await chaos.kill('payments');
    await chaos.killEngine(engine);
    const { entry, environment } = planOf('payments');
    const waiting = await spawnProcess({ name: 'payments', entry, env: { ...environment } });
    t.teardown(() => waiting.kill());
    await until(() => chaos.isLive('payments'), { timeoutMs: recoveryMs, what: 'payments being alive' });
    if (engine !== 'redis') t.notOk(await chaos.isReady('payments'), 'alive and not ready');
    await chaos.startEngines();
    await until(() => chaos.isReady('payments'), { timeoutMs: recoveryMs, what: 'payments being ready' });
    t.equal(await Promise.race([waiting.exited, Promise.resolve('runs')]), 'runs', 'the same process all along');
    await waiting.stop();
    await chaos.restart('payments');
    await run.recovered(recoveryMs);
    t.same(await run.end(), []);
  });
}

function serialAt(port: number): Promise<string> {
  const read = (name: string) => readFileSync(join(chaos.dataDir, 'tls', name));
  const material = { ca: read('ca.pem'), cert: read('gateway.pem'), key: read('gateway.key.pem') };
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ...material, checkServerIdentity: () => undefined }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.end();
    });
    socket.on('error', reject);
  });
}

t.test(
  'F32: certificates are renewed while all processes run: each takes its new one, and no call fails',
  async (t) => {
    const run = await chaos.run(t, 'f32');
    const startMs = performance.now();
    const port = planOf('payments').port;
    const before = await serialAt(port);
    const folder = join(chaos.dataDir, 'tls');
    await Promise.all(serviceNames.map((name) => rm(join(folder, `${name}.pem`))));
    await writeDevelopmentCertificates(folder, serviceNames);
    await until(async () => (await serialAt(port)) !== before, {
      timeoutMs: rotationTimeoutMs,
      intervalMs: 500,
      what: 'The new certificate at the port of payments',
    });
    await run.recovered(recoveryMs);
    const failed = run.history.attempts.filter((one) => one.startMs >= startMs && (one.status ?? 500) >= 500);
    t.same(failed, [], 'no call failed meanwhile');
    t.same(await run.end(), []);
  },
);
