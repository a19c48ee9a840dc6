import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readJson, writeJson } from './files.ts';

const pollIntervalMs = 25;
const publicFileMode = 0o644;

/** What tells a process from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the kernel says it started, in whatever unit the platform offers; compared, never interpreted. */
  readonly started: string;
}

/** `.data/pids.json` (name → pid, for people and checks) and beside it the identities that make stopping by pid safe. */
export interface ProcessTable {
  record(name: string, pid: number): Promise<void>;
  forget(name: string): Promise<void>;
  /** The recorded processes that are alive and really the ones recorded. */
  alive(): Promise<Map<string, number>>;
}

export function openProcessTable(dataDir: string): ProcessTable {
  const pidsPath = join(dataDir, 'pids.json');
  const identitiesPath = join(dataDir, 'pids-identity.json');
  let queue: Promise<unknown> = Promise.resolve();

  async function change(edit: (identities: Record<string, ProcessIdentity>) => void): Promise<void> {
    const run = queue.then(async () => {
      const identities = (await readJson<Record<string, ProcessIdentity>>(identitiesPath)) ?? {};
      edit(identities);
      await writeJson(identitiesPath, identities, publicFileMode);
      const pids = Object.fromEntries(Object.entries(identities).map(([name, { pid }]) => [name, pid]));
      await writeJson(pidsPath, pids, publicFileMode);
    });
    queue = run.catch(() => undefined);
    await run;
  }

  return {
    record: (name, pid) =>
      change((identities) => {
        identities[name] = { pid, started: processStart(pid) ?? '' };
      }),
    forget: (name) =>
      change((identities) => {
        delete identities[name];
      }),
    async alive() {
      const identities = (await readJson<Record<string, ProcessIdentity>>(identitiesPath)) ?? {};
      return new Map(
        Object.entries(identities)
          .filter(([, identity]) => isSameProcess(identity))
          .map(([name, { pid }]) => [name, pid]),
      );
    },
  };
}

/** Undefined when there is no such process, or only a zombie that nobody has waited for. */
export function processStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The command's name is in parentheses and may hold anything, so fields are counted from the last one.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const line = ps.stdout?.trim() ?? '';
  if (ps.status !== 0 || line === '' || line.startsWith('Z')) return undefined;
  return line.replace(/^\S+\s+/, '');
}

export function isAlive(pid: number): boolean {
  return processStart(pid) !== undefined;
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return identity.started !== '' && processStart(identity.pid) === identity.started;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: processStart(pid) ?? '' };
}

export interface StopOptions {
  signal?: NodeJS.Signals;
  graceMs: number;
}

/** Asks, waits, then kills. Answers whether the process went by itself. */
export async function stopProcess(pid: number, options: StopOptions): Promise<boolean> {
  const identity = identityOf(pid);
  if (!sendSignal(pid, options.signal ?? 'SIGTERM')) return true;
  if (await waitUntilGone(identity, options.graceMs)) return true;
  sendSignal(pid, 'SIGKILL');
  await waitUntilGone(identity, options.graceMs);
  return false;
}

export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isSameProcess(identity)) {
    if (Date.now() > deadline) return false;
    await delay(pollIntervalMs);
  }
  return true;
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
