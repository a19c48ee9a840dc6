import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../database/migrations.ts';
import { isListening, waitFor } from '../support/ports.ts';
import type { ProcessTable } from '../support/process-table.ts';
import { quickStart } from '../support/quick-start.ts';
import type { ProcessPlan } from './plan.ts';

const readyTimeoutMs = 120_000;
const probeTimeoutMs = 2_000;
const shownLogLines = 15;

export interface RunningProcess {
  readonly name: string;
  readonly child: ChildProcess;
  ready(): Promise<void>;
}

/** Starts one process with its log in `.data/logs/<name>.log`. Its environment is the plan's and nothing else. */
export async function startProcess(
  plan: ProcessPlan,
  { dataDir, table, environment }: { dataDir: string; table: ProcessTable; environment: NodeJS.ProcessEnv },
): Promise<RunningProcess> {
  const logFile = join(dataDir, 'logs', `${plan.name}.log`);
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a', 0o600);
  const isTraced = plan.environment['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
  const register = isTraced ? ['--import', '@strongroom/platform/telemetry/register'] : [];
  const child = spawn(process.execPath, [...quickStart.arguments, ...register, plan.entry], {
    cwd: repositoryRoot,
    argv0: 'node',
    stdio: ['ignore', log, log],
    // A group of its own: Ctrl-C in the terminal reaches the starter alone, which then stops them in order.
    detached: true,
    env: {
      PATH: environment['PATH'],
      HOME: environment['HOME'],
      OTEL_SERVICE_NAME: plan.name,
      ...quickStart.environment,
      ...plan.environment,
    },
  });
  closeSync(log);
  if (child.pid !== undefined) await table.record(plan.name, child.pid);
  return { name: plan.name, child, ready: () => waitUntilReady(plan, child, logFile) };
}

async function waitUntilReady(plan: ProcessPlan, child: ChildProcess, logFile: string): Promise<void> {
  const { readyUrl } = plan;
  const port = plan.ports[0]?.port ?? 0;
  const probe = readyUrl === undefined ? () => isListening(port) : () => answersOk(readyUrl);
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const outcome = await waitFor(probe, { timeoutMs: readyTimeoutMs, isAlive });
  if (outcome === 'ready') return;
  const why = outcome === 'ended' ? 'ended while it started' : `was not ready within ${readyTimeoutMs / 1000} s`;
  throw new Error(`${plan.name} ${why}. The end of ${logFile}:\n${await tailOf(logFile)}`);
}

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) })).ok;
  } catch {
    return false; // Not listening yet.
  }
}

async function tailOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').slice(-shownLogLines).join('\n');
}
