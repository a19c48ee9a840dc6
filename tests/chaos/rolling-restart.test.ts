// Two replicas of each service behind an address of their own; one after the other is told to end and started again.
import { spawnProcess, type TestProcess } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/support/ports.ts';
import { startBalancer } from './balancer.ts';
import { startChaos } from './chaos-system.ts';
import { createHistory } from './client-history.ts';
import { checkInvariants } from './invariants.ts';
import { startLoad } from './load.ts';

t.setTimeout(600_000);

const names = ['auth', 'payments', 'profile', 'admin'] as const;
const startTimeoutMs = 60_000;
const warmUpAnswers = 100;
const answersBetween = 40;
const seed = 20_261_125;
const chaos = await startChaos(t);

interface Replica {
  readonly name: string;
  readonly port: number;
  process: TestProcess;
}

type Urls = Record<string, string>;

async function startReplicas(t: Test): Promise<{ replicas: Replica[]; urls: Urls }> {
  const ports = new Map<string, number[]>();
  const urls: Urls = {};
  for (const name of names) {
    const own = [Number(new URL(chaos.direct(name)).port), await freePort()];
    const balancer = await startBalancer(own);
    t.teardown(() => balancer.close());
    urls[`${name.toUpperCase()}_URL`] = `https://127.0.0.1:${balancer.port}`;
    ports.set(name, own);
  }
  const replicas: Replica[] = [];
  t.teardown(() => Promise.all(replicas.map(({ process }) => process.stop())));
  for (const name of names) {
    await chaos.kill(name);
    for (const port of ports.get(name) ?? []) {
      replicas.push({ name, port, process: await startReplica(name, port, urls) });
    }
  }
  await chaos.kill('gateway');
  await chaos.restart('gateway', urls);
  return { replicas, urls };
}

function startReplica(name: string, port: number, urls: Urls): Promise<TestProcess> {
  const plan = chaos.plans.find((one) => one.name === name);
  if (plan === undefined) throw new Error(`There is no process ${name}.`);
  return spawnProcess({
    name,
    entry: plan.entry,
    env: { ...plan.environment, ...urls, PORT: String(port), METRICS_PORT: '0' },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    readyTimeoutMs: startTimeoutMs,
  });
}

/** Back to one process each, whom the checker knows. */
async function endReplicas(replicas: readonly Replica[]): Promise<void> {
  await Promise.all(replicas.map(({ process }) => process.stop()));
  for (const name of names) await chaos.restart(name);
  await chaos.kill('gateway');
  await chaos.restart('gateway');
}

t.test('F33: every service is restarted, one replica after the other, under load: no call fails', async (t) => {
  const { replicas, urls } = await startReplicas(t);
  const history = createHistory();
  const load = startLoad({ people: chaos.people, seed, history, tag: 'f33' });
  t.teardown(() => load.stop());
  await load.answered(warmUpAnswers);
  for (const replica of replicas) {
    t.equal(await replica.process.stop(), 0, `${replica.name} at ${replica.port} closed by itself`);
    replica.process = await startReplica(replica.name, replica.port, urls);
    await load.answered(answersBetween);
  }
  await load.stop();
  const failed = history.attempts.filter(({ status = 500 }) => status >= 500);
  t.same(
    failed.map(({ route, status }) => `${route} ${status}`),
    [],
    `of ${history.attempts.length} calls`,
  );
  await endReplicas(replicas);
  t.same(await checkInvariants(await chaos.evidence(history)), []);
});
