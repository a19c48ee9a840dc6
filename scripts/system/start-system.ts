import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { ensureConsole } from '../console/ensure-console.ts';
import { type EngineUrls, startEngines, stopEngines } from '../engines/index.ts';
import { type Log, serviceNames } from '../support/names.ts';
import { isPortFree, loopback } from '../support/ports.ts';
import { openProcessTable, type ProcessTable, stopProcess } from '../support/process-table.ts';
import { migrateDatabases } from './databases.ts';
import { defaultPorts, type ProcessName, type ProcessPlan, planProcesses } from './plan.ts';
import { type RunningProcess, startProcess } from './run-process.ts';
import { systemSecrets } from './secrets.ts';

const drainMs = 15_000;
/** The starter stops everything in order by itself: every process's drain and the engines' end. */
const starterStopMs = 90_000;
/** In pids.json, beside the processes: who started them and stops them in the end. */
const starterName = 'start';
/** Those who hand work on stop before those who take it. */
const stopOrder: readonly ProcessName[] = ['gateway', 'profile', 'payments', 'auth', 'admin', 'witness', 'psp-sandbox'];

export interface SystemOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly environment?: NodeJS.ProcessEnv;
  /** Where unpacked server programs are kept, if not with the data. */
  readonly packagesDir?: string;
  /** Gives up, and stops what was started by then. */
  readonly signal?: AbortSignal;
}

export interface RunningSystem {
  readonly dataDir: string;
  readonly engines: EngineUrls;
  readonly gatewayUrl: string;
  readonly plans: readonly ProcessPlan[];
  /** Resolves with the name of a process that ended without being told to. */
  readonly broken: Promise<string>;
  /** SIGKILL, as a crash would; resolves once it is gone. */
  kill(name: ProcessName): Promise<void>;
  /** Starts a process again that was killed, with more in its environment, and waits until it is ready. */
  restart(name: ProcessName, more?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** Engines, databases, certificates, then all processes, each waited for. Whatever was started is stopped on a failure. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const dataDir = resolve(options.dataDir);
  const environment = options.environment ?? process.env;
  const { log, packagesDir, signal } = options;
  await mkdir(join(dataDir, 'logs'), { recursive: true });
  await claim(dataDir, log);
  try {
    const secrets = await systemSecrets(dataDir);
    const [engines] = await Promise.all([startEngines({ dataDir, log, environment, packagesDir }), ensureConsole(log)]);
    signal?.throwIfAborted();
    const databases = await migrateDatabases(engines.urls.postgres.superuserUrl, secrets.roles, log);
    await writeDevelopmentCertificates(join(dataDir, 'tls'), serviceNames);
    const plans = planProcesses({ dataDir, engines: engines.urls, databases, secrets, environment });
    await requireFreePorts(plans);
    signal?.throwIfAborted();
    const running = await orAborted(startAll(plans, dataDir, environment, log), signal);
    return describe({ dataDir, plans, running, engines: engines.urls, environment });
  } catch (error) {
    await stopSystem(dataDir);
    throw error;
  }
}

/** One start for each folder: a second one would take over the first one's engines and stop them in the end. */
async function claim(dataDir: string, log: Log): Promise<void> {
  const table = openProcessTable(dataDir);
  const alive = await table.alive();
  const starter = alive.get(starterName);
  if (starter !== undefined && starter !== process.pid) {
    throw new Error(`Strongroom runs already from ${dataDir} (pid ${starter}); npm run stop ends it.`);
  }
  await table.record(starterName, process.pid);
  if (!stopOrder.some((name) => alive.has(name))) return;
  log('stopping what a killed start left running');
  await stopProcesses(table, alive);
}

/** Stops by pid what a start in this folder left running, and says how many processes that were. */
export async function stopSystem(dataDir: string): Promise<number> {
  const folder = resolve(dataDir);
  const table = openProcessTable(folder);
  const before = await table.alive();
  const starter = before.get(starterName);
  // Asked first, because it would take the end of its processes for a failure.
  if (starter !== undefined && starter !== process.pid) await stopProcess(starter, { graceMs: starterStopMs });
  await stopProcesses(table, await table.alive());
  await stopEngines(folder);
  await table.forget(starterName);
  return [...before.keys()].filter((name) => name !== starterName).length;
}

async function stopProcesses(table: ProcessTable, alive: ReadonlyMap<string, number>): Promise<void> {
  for (const name of stopOrder) {
    const pid = alive.get(name);
    if (pid !== undefined) await stopProcess(pid, { graceMs: drainMs });
    await table.forget(name);
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}

async function startAll(
  plans: readonly ProcessPlan[],
  dataDir: string,
  environment: NodeJS.ProcessEnv,
  log: Log,
): Promise<RunningProcess[]> {
  const table = openProcessTable(dataDir);
  const running: RunningProcess[] = [];
  const startMs = performance.now();
  for (const plan of plans) running.push(await startProcess(plan, { dataDir, table, environment }));
  await Promise.all(
    running.map(async (process, index) => {
      await process.ready();
      const port = plans[index]?.ports[0]?.port ?? 0;
      log(`${process.name} is ready on port ${port} (${Math.round(performance.now() - startMs)} ms)`);
    }),
  );
  return running;
}

function describe(system: {
  dataDir: string;
  plans: readonly ProcessPlan[];
  running: readonly RunningProcess[];
  engines: EngineUrls;
  environment: NodeJS.ProcessEnv;
}): RunningSystem {
  let isStopping = false;
  const current = new Map(system.running.map((process) => [process.name, process]));
  const broken = new Promise<string>((resolveBroken) => {
    for (const { name, child } of system.running) {
      child.once('exit', () => {
        if (!isStopping) resolveBroken(name);
      });
    }
  });
  const gateway = system.plans.find(({ name }) => name === 'gateway');
  return {
    dataDir: system.dataDir,
    engines: system.engines,
    plans: system.plans,
    gatewayUrl: `http://${loopback}:${gateway?.ports[0]?.port ?? defaultPorts.gateway.port}`,
    broken,
    async kill(name) {
      const child = current.get(name)?.child;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async restart(name, more = {}) {
      const plan = system.plans.find((candidate) => candidate.name === name);
      if (plan === undefined) throw new Error(`There is no process ${name}.`);
      const { dataDir, environment } = system;
      const changed = { ...plan, environment: { ...plan.environment, ...more } };
      const process = await startProcess(changed, { dataDir, table: openProcessTable(dataDir), environment });
      current.set(name, process);
      await process.ready();
    },
    async stop() {
      isStopping = true;
      await stopSystem(system.dataDir);
    },
  };
}

/** Said before anything is started: somebody else's process on one of our ports is not ours to touch. */
async function requireFreePorts(plans: readonly ProcessPlan[]): Promise<void> {
  const taken: string[] = [];
  for (const { name, ports } of plans) {
    for (const { variable, port } of ports) {
      if (port !== 0 && !(await isPortFree(port))) taken.push(`  ${port} (${name}): set ${variable} to another`);
    }
  }
  if (taken.length === 0) return;
  throw new Error(`Ports are in use; is the system running already (npm run stop)?\n${taken.join('\n')}`);
}
