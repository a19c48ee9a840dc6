import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server program and what it needs in its environment to run. */
export interface ServerBinary {
  readonly path: string;
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface ServerProgram {
  /** File name, also on the PATH. */
  readonly program: string;
  /** Debian's packages that hold it. */
  readonly debianPackages: readonly string[];
  readonly versionPattern: RegExp;
  readonly versionMin: string;
}

export const redisProgram: ServerProgram = {
  program: 'redis-server',
  // The server's program is a link to one in the tools.
  debianPackages: ['redis-server', 'redis-tools'],
  versionPattern: /v=(\d+\.\d+\.\d+)/,
  versionMin: '7.0.0',
};

export const natsProgram: ServerProgram = {
  program: 'nats-server',
  debianPackages: ['nats-server'],
  versionPattern: /v(\d+\.\d+\.\d+)/,
  versionMin: '2.9.0',
};

/** Daemons live in sbin folders, which an ordinary account's PATH often leaves out. */
const extraFolders = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];

export function findOnPath(wanted: ServerProgram): ServerBinary | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...extraFolders];
  for (const folder of new Set(folders)) {
    const found = probe(join(folder, wanted.program), wanted, {});
    if (found) return found;
  }
  return undefined;
}

/** The program at the path, when it runs and is new enough. */
export function probe(
  path: string,
  wanted: ServerProgram,
  environment: Readonly<Record<string, string>>,
): ServerBinary | undefined {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return undefined;
  }
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', env: { PATH: process.env.PATH, ...environment } });
  const version = wanted.versionPattern.exec(run.stdout ?? '')?.[1];
  return version !== undefined && isAtLeast(version, wanted.versionMin) ? { path, version, environment } : undefined;
}

export function isAtLeast(version: string, minimum: string): boolean {
  const [have, need] = [version, minimum].map((text) => text.split('.').map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (have?.[index] ?? 0) - (need?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
