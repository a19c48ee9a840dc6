// The whole system under load, with what breaks it and what proves that nothing was lost.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openSql, testEngines, until } from '@strongroom/testkit';
import type { Test } from 'tap';
import { startEngines } from '../../scripts/engines/index.ts';
import { type DatabaseName, databaseNames, type EngineName } from '../../scripts/support/names.ts';
import { openProcessTable, stopProcess } from '../../scripts/support/process-table.ts';
import { type SignedIn, startTestSystem, type TestSystem, testPassword } from '../e2e/system-fixture.ts';
import { type ClientHistory, createHistory } from './client-history.ts';
import { checkInvariants, checkResources, type Evidence, type Resources } from './invariants.ts';
import { type Load, startLoad } from './load.ts';

const clientCount = 5;
const warmUpAnswers = 400;
const answersAfterHealing = 60;
const settleTimeoutMs = 60_000;
/** Longer than the edge keeps a connection that says nothing. */
const restTimeoutMs = 90_000;
const restIntervalMs = 500;
const stopGraceMs = 10_000;
const pageBytes = 4_096;
const outputBytesMax = 16_777_216;
const processes = ['gateway', 'auth', 'payments', 'profile', 'admin'] as const;
type OwnProcess = (typeof processes)[number];

export interface ChaosRun {
  readonly load: Load;
  readonly history: ClientHistory;
  /** The fault is over: waits until every process is ready and a payment goes through, and fails if that takes longer. */
  recovered(withinMs: number): Promise<void>;
  /** Ends the load, lets the system settle, and answers what of I1–I9 does not hold. */
  end(): Promise<string[]>;
}

export interface ChaosSystem extends TestSystem {
  readonly people: readonly SignedIn[];
  readonly databases: Evidence['databases'];
  /** Load from a seed, under the name of the run; ended with the test, whatever its outcome. */
  run(t: Test, tag: string, seed?: number): Promise<ChaosRun>;
  /** What the checker looks at, once nothing is under way any more. */
  evidence(history: ClientHistory): Promise<Evidence>;
  killEngine(engine: EngineName): Promise<void>;
  pauseEngine(engine: EngineName): Promise<() => void>;
  /** Those that are down, on the ports and with the data that they had. */
  startEngines(): Promise<void>;
  pidOf(name: OwnProcess | EngineName): Promise<number>;
  isReady(name: OwnProcess): Promise<boolean>;
  isLive(name: OwnProcess): Promise<boolean>;
}

export async function startChaos(t: Test, environment: Readonly<Record<string, string>> = {}): Promise<ChaosSystem> {
  const system = await startTestSystem(t.teardown, environment);
  const databases = Object.fromEntries(
    databaseNames.map((name) => [name, openSql(system.engines.postgres.databases[name])]),
  ) as Record<DatabaseName, ReturnType<typeof openSql>>;
  t.teardown(() => Promise.all(Object.values(databases).map((sql) => sql.end({ timeout: 1 }))));
  const people: SignedIn[] = [];
  for (let index = 0; index < clientCount; index++) people.push(await system.person('client'));
  const table = openProcessTable(system.dataDir);
  const pidOf = async (name: string): Promise<number> => {
    const pid = (await table.alive()).get(name);
    if (pid === undefined) throw new Error(`${name} does not run.`);
    return pid;
  };
  const asksOk = async (name: OwnProcess, path: string) => {
    const response = await fetch(`${system.direct(name)}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    return response?.status === 200;
  };
  const before = { resources: new Map<string, Resources>() };

  const chaos: ChaosSystem = {
    ...system,
    people,
    databases,
    async run(t, tag, seed = 20_261_125) {
      const history = createHistory();
      const load = startLoad({ people, seed, history, tag });
      t.teardown(() => load.stop());
      await load.answered(before.resources.size === 0 ? warmUpAnswers : clientCount);
      if (before.resources.size === 0) before.resources = await resourcesOf(pidOf, databases.payments);
      return describeRun(chaos, { tag, history, load });
    },
    async evidence(history) {
      await settle(databases);
      const now = await resourcesAtRest(() => resourcesOf(pidOf, databases.payments), before.resources);
      return {
        databases,
        provider: await readJournal(system),
        history,
        resources: { before: before.resources, now },
        logLines: readLogs(join(system.dataDir, 'logs')),
        canaries: [testPassword, ...people.flatMap(({ email, token }) => [email, token])],
        logFault: await verifyLog(system.dataDir),
      };
    },
    async killEngine(engine) {
      await stopProcess(await pidOf(engine), { signal: 'SIGKILL', graceMs: stopGraceMs });
    },
    async pauseEngine(engine) {
      const pid = await pidOf(engine);
      process.kill(pid, 'SIGSTOP');
      return () => process.kill(pid, 'SIGCONT');
    },
    async startEngines() {
      const { packagesDir } = testEngines();
      await startEngines({ dataDir: system.dataDir, packagesDir, log: () => undefined, environment: {} });
    },
    pidOf,
    isReady: (name) => asksOk(name, '/readyz'),
    isLive: (name) => asksOk(name, '/livez'),
  };
  return chaos;
}

function describeRun(chaos: ChaosSystem, run: { tag: string; history: ClientHistory; load: Load }): ChaosRun {
  const { tag, history, load } = run;
  const probe = async (): Promise<boolean> => {
    for (const name of processes) {
      if (!(await chaos.isReady(name))) throw new Error(`${name} is not ready`);
    }
    const [ada, bob] = chaos.people;
    const answer = await ada?.post('/payments', {
      token: ada.token,
      headers: { 'idempotency-key': `${tag}-probe` },
      body: {
        type: 'PAYMENT_TYPE_INSTANT',
        amount: { currencyCode: 'EUR', minorUnits: '123' },
        recipientId: bob?.id,
        description: 'Probe',
      },
    });
    if (answer?.status !== 201) throw new Error(`a payment is answered ${answer?.status}`);
    return true;
  };
  return {
    load,
    history,
    async recovered(withinMs) {
      await until(probe, { timeoutMs: withinMs, intervalMs: 200, what: `${tag}: all being ready and a payment` });
      history.healMs = performance.now();
    },
    async end() {
      await load.answered(answersAfterHealing);
      await load.stop();
      return checkInvariants(await chaos.evidence(history));
    },
  };
}

/** Nothing under way at the provider, and every event confirmed by the audit database. */
async function settle(databases: Evidence['databases']): Promise<void> {
  const outboxes = (['auth', 'payments', 'profile', 'admin'] as const).map((name) => databases[name]);
  await until(
    async () => {
      const [tasks] = await databases.payments`select count(*)::int as count from psp_tasks`;
      const [open] = await databases.payments`select count(*)::int as count from payments where status = 'processing'`;
      const events = await Promise.all(
        outboxes.map((sql) => sql`select count(*)::int as count from strongroom.outbox where kind = 'event'`),
      );
      return [tasks, open, ...events.flat()].every((row) => row?.['count'] === 0);
    },
    { timeoutMs: settleTimeoutMs, intervalMs: 200, what: 'Empty outboxes and nothing under way' },
  );
}

async function readJournal({ plans }: TestSystem): Promise<Evidence['provider']> {
  const plan = plans.find(({ name }) => name === 'psp-sandbox');
  const response = await fetch(`http://127.0.0.1:${plan?.ports[0]?.port}/v1/journal`, {
    headers: { authorization: `Bearer ${plan?.environment['PSP_API_KEY']}` },
  });
  const { entries } = (await response.json()) as { entries: { kind: string; reference: string }[] };
  return { journal: () => entries };
}

async function resourcesOf(
  pidOf: (name: OwnProcess) => Promise<number>,
  sql: Evidence['databases']['payments'],
): Promise<Map<string, Resources>> {
  const rows = await sql<{ name: string; count: number }[]>`
    select replace(usename, '_app', '') as name, count(*)::int as count from pg_stat_activity
    where usename like '%\\_app' group by usename`;
  const found = new Map<string, Resources>();
  for (const name of processes) {
    const pid = await pidOf(name);
    found.set(name, {
      handles: readdirSync(`/proc/${pid}/fd`).length,
      residentBytes: Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes,
      connections: rows.find((row) => row.name === name)?.count ?? 0,
    });
  }
  return found;
}

/** Connections that clients left open run out by themselves; what is still there after that is a leak. */
async function resourcesAtRest(
  measure: () => Promise<Map<string, Resources>>,
  before: ReadonlyMap<string, Resources>,
): Promise<Map<string, Resources>> {
  const deadline = performance.now() + restTimeoutMs;
  for (;;) {
    const now = await measure();
    if (checkResources({ before, now }).length === 0 || performance.now() > deadline) return now;
    await delay(restIntervalMs);
  }
}

function* readLogs(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) yield* readFileSync(join(folder, name), 'utf8').split('\n');
}

const run = promisify(execFile);

/** By the commands that an auditor uses. */
async function verifyLog(dataDir: string): Promise<string | undefined> {
  const root = join(import.meta.dirname, '..', '..');
  const file = join(dataDir, 'audit-export.jsonl');
  const options = { cwd: root, maxBuffer: outputBytesMax };
  try {
    await run(process.execPath, ['scripts/audit-export.ts', '--out', file, '--data', dataDir], options);
    await run(process.execPath, ['packages/tlog/src/verify-cli.ts', '--in', file, '--quiet'], options);
    return undefined;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}`.trim();
  }
}
