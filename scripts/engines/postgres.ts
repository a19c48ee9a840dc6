import { spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { randomPassword } from '../support/files.ts';
import type { Log } from '../support/names.ts';
import { freePort, loopback, waitFor } from '../support/ports.ts';
import { isAlive, stopProcess } from '../support/process-table.ts';
import { type Account, canEnter, ids, reachableCopy, reachableFolder, serverAccount } from './account.ts';
import { binariesIn, findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';

const startTimeoutMs = 60_000;
const stopGraceMs = 20_000;
/** After kill -9 of the postmaster its children need a moment to notice; until then a new one refuses to start. */
const startAttemptsMax = 5;
const attemptPauseMs = 500;

export interface PostgresOptions {
  dataDir: string;
  logFile: string;
  password: string;
  preferredPort?: number;
  log: Log;
}

export interface RunningPostgres {
  readonly port: number;
  readonly pid: number;
}

export function isPostgresAvailable(): boolean {
  return findPostgresBinaries() !== undefined;
}

/** Starts the private cluster of this data directory, making it first where there is none. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const found = findPostgresBinaries();
  if (!found) throw new Error('No PostgreSQL server binaries for this platform.');
  const account = serverAccount(options.log);
  const { binaries, cluster } = placeFor(options, account, found);
  if (!existsSync(join(cluster, 'PG_VERSION'))) initialise(binaries, cluster, account, options);
  await stopLeftOver(cluster, options.log);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(options.preferredPort);
    const url = superuserUrl(port, options.password);
    const pid = launch(binaries, cluster, account, port, options.logFile);
    const outcome = await waitFor(() => answers(url), {
      timeoutMs: startTimeoutMs,
      isAlive: () => isAlive(pid),
    });
    if (outcome === 'ready') return { port, pid };
    if (outcome === 'timeout') await stopPostgres(pid);
    if (outcome === 'timeout' || attempt >= startAttemptsMax) {
      throw new Error(`PostgreSQL did not start. Last lines of ${options.logFile}:\n${tail(options.logFile)}`);
    }
    await delay(attemptPauseMs * attempt);
  }
}

export function superuserUrl(port: number, password: string): string {
  return `postgres://postgres:${password}@${loopback}:${port}/postgres`;
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are ended, the checkpoint is written. */
export async function stopPostgres(pid: number): Promise<void> {
  await stopProcess(pid, { signal: 'SIGINT', graceMs: stopGraceMs });
}

/** Where the cluster and binaries can live so that the server's account reaches them. */
function placeFor(
  options: PostgresOptions,
  account: Account,
  found: PostgresBinaries,
): { binaries: PostgresBinaries; cluster: string } {
  mkdirSync(options.dataDir, { recursive: true });
  const usual = join(options.dataDir, 'postgres');
  if (account.uid === undefined) return { binaries: found, cluster: usual };
  const dataReachable = canEnter(account, options.dataDir);
  const binariesReachable = canEnter(account, join(found.home, 'bin')) && canEnter(account, join(found.home, 'lib'));
  if (dataReachable && binariesReachable) return { binaries: found, cluster: usual };
  let binaries: PostgresBinaries | undefined = found;
  if (!binariesReachable) {
    const copy = reachableCopy(found.home, account, options.log);
    binaries = binariesIn(copy);
    if (!binaries) throw new Error(`The copy of the PostgreSQL binaries in ${copy} doesn't run: remove it.`);
  }
  if (dataReachable) return { binaries, cluster: usual };
  const folder = reachableFolder(options.dataDir, account);
  const reason = `${options.dataDir} is closed to the account ${account.name}`;
  options.log(`PostgreSQL's data is in ${folder}, because ${reason}`);
  return { binaries, cluster: join(folder, 'postgres') };
}

function initialise(binaries: PostgresBinaries, cluster: string, account: Account, options: PostgresOptions): void {
  options.log(`making a PostgreSQL ${binaries.major} cluster in ${cluster}`);
  // Left by an initdb that was cut off: without PG_VERSION there is nothing in it to lose.
  rmSync(cluster, { recursive: true, force: true });
  mkdirSync(cluster, { recursive: true, mode: 0o700 });
  const passwordFile = join(tmpdir(), `strongroom-initdb-${randomPassword(12)}`);
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (account.uid !== undefined) {
      for (const path of [cluster, passwordFile]) chownSync(path, account.uid, account.gid ?? account.uid);
    }
    const locale =
      binaries.major >= 17
        ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
        : ['--locale=C.UTF-8'];
    const run = spawnSync(
      binaries.initdb,
      [
        `--pgdata=${cluster}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--data-checksums',
        ...locale,
      ],
      { ...ids(account), cwd: '/', encoding: 'utf8', env: serverEnvironment() },
    );
    if (run.status !== 0) {
      rmSync(cluster, { recursive: true, force: true });
      throw new Error(`initdb failed: ${run.error?.message ?? run.stderr.trim()}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function launch(binaries: PostgresBinaries, cluster: string, account: Account, port: number, logFile: string): number {
  const settings: Record<string, string> = {
    listen_addresses: loopback,
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    password_encryption: 'scram-sha-256',
    jit: 'off',
    // A log that quoted statements or DETAIL lines would hold personal data (B-canary).
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_line_prefix: '%m [%p] %u@%d ',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  const output = openSync(logFile, 'a', 0o600);
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // A session of its own: Ctrl-C in the terminal must not stop the database before the services have closed.
  const child = spawn(binaries.postgres, ['-D', cluster, '-p', String(port), ...flags], {
    ...ids(account),
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: serverEnvironment(),
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${binaries.postgres} could not be run.`);
  return child.pid;
}

/** PG* variables of the caller's shell would change what the server does. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * A postmaster.pid is left by kill -9 of the server or of the machine. When a server of this very cluster still runs,
 * it is an orphan of ours and is stopped; when the number belongs to someone else by now, only the file goes.
 */
async function stopLeftOver(cluster: string, log: Log): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) {
    rmSync(pidFile, { force: true });
    return;
  }
  if (isAlive(pid) && runsCluster(pid, cluster)) {
    log(`stopping a PostgreSQL left over from an earlier run (pid ${pid})`);
    await stopPostgres(pid);
  } else if (isAlive(pid)) {
    rmSync(pidFile, { force: true });
  }
}

function runsCluster(pid: number, cluster: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(cluster);
  } catch {
    const ps = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return ps.stdout?.includes(cluster) ?? false;
  }
}

export async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    // A wrong password won't get right by waiting.
    if ((error as { code?: string }).code === '28P01') {
      throw new Error('PostgreSQL refuses the password: engines-secrets.json and the data beside it belong together.');
    }
    return false;
  } finally {
    await sql.end({ timeout: 1 }).catch(() => undefined);
  }
}

export function tail(file: string, linesMax = 15): string {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-linesMax).join('\n');
}
