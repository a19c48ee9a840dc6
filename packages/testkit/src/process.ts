import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../../../scripts/database/migrations.ts';
import { quickStart } from '../../../scripts/support/quick-start.ts';
import { until } from './wait.ts';

const readyTimeoutMs = 30_000;
const stopTimeoutMs = 20_000;
const logLinesMax = 50_000;
const endWithParent = import.meta.resolve('./end-with-parent.ts');

export interface LogLine {
  readonly level?: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface ProcessOptions {
  name: string;
  /** Of the repository, such as `services/payments/src/main.ts`. */
  entry: string;
  env: Record<string, string>;
  /** Polled until it answers 200, such as `http://127.0.0.1:3002/readyz`. */
  readyUrl?: string;
  /** `STRONGROOM_FAILPOINTS`, such as `payments.create.after-commit=kill`. */
  failpoints?: string;
  /** More for node itself, such as `--import @strongroom/platform/telemetry/register`. */
  nodeArguments?: string[];
  readyTimeoutMs?: number;
}

/** One of our processes as a real child, which a test may kill. */
export interface TestProcess {
  readonly name: string;
  readonly pid: number;
  /** What it wrote so far; a line that isn't JSON stands as `{ msg }`. */
  readonly logs: readonly LogLine[];
  waitForLog(matches: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits until it has closed by itself. */
  stop(): Promise<number | null>;
}

/** The environment of the child is what is given here and PATH, so that a developer's own variables change no test. */
export async function spawnProcess(options: ProcessOptions): Promise<TestProcess> {
  const nodeArguments = [...quickStart.arguments, '--import', endWithParent, ...(options.nodeArguments ?? [])];
  const child = spawn(process.execPath, [...nodeArguments, options.entry], {
    cwd: repositoryRoot,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      ...quickStart.environment,
      STRONGROOM_ENV: 'test',
      ...(options.failpoints === undefined ? {} : { STRONGROOM_FAILPOINTS: options.failpoints }),
      ...options.env,
    },
  });
  const logs: LogLine[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (logs.length < logLinesMax) logs.push(parseLine(line));
    });
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  const running = describeProcess(options.name, child, logs, exited);
  if (options.readyUrl !== undefined) await waitUntilReady(running, child, options.readyUrl, options.readyTimeoutMs);
  return running;
}

function describeProcess(
  name: string,
  child: ChildProcess,
  logs: LogLine[],
  exited: TestProcess['exited'],
): TestProcess {
  return {
    name,
    pid: child.pid ?? 0,
    logs,
    exited,
    waitForLog: (matches, timeoutMs) =>
      until(() => logs.find(matches), {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        what: `A log line of ${name}`,
      }),
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      const { code } = await exited;
      clearTimeout(late);
      return code;
    },
  };
}

async function waitUntilReady(
  running: TestProcess,
  child: ChildProcess,
  readyUrl: string,
  timeoutMs = readyTimeoutMs,
): Promise<void> {
  try {
    await until(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) return 'ended';
        const response = await fetch(readyUrl, { signal: AbortSignal.timeout(1_000) });
        await response.body?.cancel();
        return response.status === 200 ? 'ready' : undefined;
      },
      { timeoutMs, what: `${running.name} being ready` },
    );
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${running.name} ended before it was ready`);
  } catch (error) {
    await running.kill();
    const last = running.logs.slice(-10).map((line) => JSON.stringify(line));
    throw new Error(`${(error as Error).message}. Its last lines:\n${last.join('\n')}`, { cause: error });
  }
}

function parseLine(line: string): LogLine {
  try {
    const parsed = JSON.parse(line) as unknown;
    return typeof parsed === 'object' && parsed !== null ? (parsed as LogLine) : { msg: line };
  } catch {
    return { msg: line };
  }
}
