import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { secretFileMode } from '../support/files.ts';
import type { Log, ServiceName } from '../support/names.ts';
import { loopback } from '../support/ports.ts';
import { stopProcess } from '../support/process-table.ts';
import { redisAccessOf } from './access.ts';
import { launchServer } from './launch.ts';
import type { ServerBinary } from './server-binary.ts';

const stopGraceMs = 5_000;
export const databaseCount = 256;
const connectTimeoutMs = 2_000;

export interface RedisPasswords {
  readonly administrator: string;
  readonly services: Readonly<Record<ServiceName, string>>;
}

export interface RedisOptions {
  binary: ServerBinary;
  dataDir: string;
  logFile: string;
  passwords: RedisPasswords;
  preferredPort?: number;
  log: Log;
}

export interface RunningRedis {
  readonly port: number;
  readonly pid: number;
}

export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const folder = join(options.dataDir, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const configuration = join(folder, 'redis.conf');
  return launchServer({
    name: 'Redis',
    binary: options.binary,
    logFile: options.logFile,
    preferredPort: options.preferredPort,
    prepare(port) {
      // Passwords stand in a file of mode 0600, never in the arguments, which every account of the machine can read.
      const lines = [`bind ${loopback}`, `port ${port}`, `dir ${folder}`, ...redisSettings(options.passwords)];
      writeFileSync(configuration, `${lines.join('\n')}\n`, { mode: secretFileMode });
      return [configuration];
    },
    answers: (port) => answers(redisUrl(port, 'default', options.passwords.administrator)),
  });
}

export async function stopRedis(pid: number): Promise<void> {
  await stopProcess(pid, { graceMs: stopGraceMs });
}

export function redisUrl(port: number, user: string, password: string): string {
  return `redis://${user}:${password}@${loopback}:${port}/0`;
}

/** Also what the container is given. */
export function redisSettings(passwords: RedisPasswords): string[] {
  const users = Object.entries(passwords.services).map(
    ([name, password]) => `user ${name} on >${password} ${redisAccessOf(name as ServiceName)}`,
  );
  return [
    // Nothing in Redis is the only copy of anything: counters, caches and a deny-list that Postgres also holds.
    'save ""',
    'appendonly no',
    'maxmemory 256mb',
    // Evicting would silently drop revocations; a full Redis is an outage that the services already know how to take.
    'maxmemory-policy noeviction',
    // The system uses the first; every test leases one of its own.
    `databases ${databaseCount}`,
    'daemonize no',
    `user default on >${passwords.administrator} ~* &* +@all`,
    ...users,
  ];
}

export async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
