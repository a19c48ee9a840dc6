import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { secretFileMode } from '../support/files.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { isAlive, stopProcess } from '../support/process-table.ts';
import { tail } from './postgres.ts';
import type { ServerBinary } from './server-binary.ts';

const startTimeoutMs = 20_000;
const stopGraceMs = 5_000;
/** Between asking the system for a free port and taking it, someone else may: then another is asked for. */
const startAttemptsMax = 3;

export interface LaunchOptions {
  name: string;
  binary: ServerBinary;
  logFile: string;
  preferredPort?: number;
  /** Writes the configuration for the port and returns the arguments. */
  prepare(port: number): string[];
  answers(port: number): Promise<boolean>;
}

/** Starts a server of one binary and one configuration file, and waits until it answers. */
export async function launchServer(options: LaunchOptions): Promise<{ port: number; pid: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(attempt === 1 ? options.preferredPort : undefined);
    const pid = launch(options, port);
    const outcome = await waitFor(() => options.answers(port), {
      timeoutMs: startTimeoutMs,
      isAlive: () => isAlive(pid),
    });
    if (outcome === 'ready') return { port, pid };
    await stopProcess(pid, { graceMs: stopGraceMs });
    if (attempt >= startAttemptsMax) {
      throw new Error(`${options.name} did not start. Last lines of ${options.logFile}:\n${tail(options.logFile)}`);
    }
  }
}

function launch(options: LaunchOptions, port: number): number {
  const output = openSync(options.logFile, 'a', secretFileMode);
  // A session of its own: Ctrl-C in the terminal must not stop the engines before the services have closed.
  const child = spawn(options.binary.path, options.prepare(port), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, ...options.binary.environment },
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${options.binary.path} could not be run.`);
  return child.pid;
}
