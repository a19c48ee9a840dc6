import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../support/names.ts';

/** The operating system account that PostgreSQL runs as. Empty: the one that runs us. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
  readonly name?: string;
}

const postgresAccount = 'postgres';

/** PostgreSQL refuses to run as root, so root lends it the `postgres` account and creates that when it is missing. */
export function serverAccount(log: Log): Account {
  if (process.getuid?.() !== 0) return {};
  const known = lookUp(postgresAccount);
  if (known) return known;
  log(`creating the system account "${postgresAccount}", because PostgreSQL refuses to run as root`);
  for (const [command, args] of [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', postgresAccount]],
    ['adduser', ['-S', '-D', '-H', postgresAccount]],
  ] as const) {
    if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) break;
  }
  const account = lookUp(postgresAccount) ?? lookUp('nobody');
  if (!account) {
    throw new Error(
      'PostgreSQL refuses to run as root and no account "postgres" could be created: run as another user.',
    );
  }
  return account;
}

function lookUp(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const run = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return run.status === 0 ? Number(run.stdout.trim()) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid, name };
}

/** Can the account enter the folder? Asked of the kernel, by a process of that account, so that ACLs count too. */
export function canEnter(account: Account, folder: string): boolean {
  const run = spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { ...ids(account), cwd: '/', stdio: 'ignore' });
  return run.status === 0;
}

export function ids(account: Account): { uid?: number; gid?: number } {
  return account.uid === undefined ? {} : { uid: account.uid, gid: account.gid ?? account.uid };
}

/** A folder outside the checkout that the account can enter, the same one at every start for the same path inside. */
export function reachableFolder(purpose: string, account: Account): string {
  const candidates = reachableCandidates(purpose);
  const kept = candidates.find((folder) => existsSync(folder) && canEnter(account, folder));
  if (kept) return kept;
  for (const folder of candidates) {
    if (!canEnter(account, dirname(folder))) continue;
    try {
      mkdirSync(folder, { mode: 0o755 });
      return folder;
    } catch {
      // Read-only or taken by someone else: the next one.
    }
  }
  throw new Error(
    `The account ${account.name} can't enter ${purpose} (a folder above it is closed to it), and no folder of ` +
      `${candidates.join(', ')} could be made. Open the path with chmod o+x, or clone to another place.`,
  );
}

/** Removes what `reachableFolder` made for the path, if anything. */
export function removeReachable(purpose: string): void {
  if (process.getuid?.() !== 0) return;
  for (const folder of reachableCandidates(purpose)) rmSync(folder, { recursive: true, force: true });
}

function reachableCandidates(purpose: string): string[] {
  const key = createHash('sha256').update(purpose).digest('hex').slice(0, 12);
  return ['/var/lib', '/var/tmp', '/tmp'].map((base) => join(base, `strongroom-${key}`));
}

/** Server binaries under a home of mode 0700 can't be run by another account: it gets a copy (60 MB, made once). */
export function reachableCopy(source: string, account: Account, log: Log): string {
  const copy = join(reachableFolder(source, account), 'postgres-binaries');
  if (!existsSync(join(copy, 'bin', 'postgres'))) {
    log(`copying the PostgreSQL binaries to ${copy}, because ${source} is closed to the account that runs them`);
    cpSync(source, copy, { recursive: true, verbatimSymlinks: true });
  }
  return copy;
}
