import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { secretFileMode } from '../support/files.ts';
import type { EngineName, Log } from '../support/names.ts';
import { freePort, loopback, waitFor } from '../support/ports.ts';
import { type NatsPasswords, natsConfiguration } from './nats.ts';
import { type RedisPasswords, redisSettings } from './redis.ts';

const run = promisify(execFile);
const probeTimeoutMs = 5_000;
/** The first start pulls the image. */
const commandTimeoutMs = 600_000;
const readyTimeoutMs = 60_000;
const stopGraceS = 20;

const images: Record<EngineName, string> = {
  postgres: 'postgres:18',
  redis: 'redis:7-alpine',
  nats: 'nats:2-alpine',
};

const containerPorts: Record<EngineName, number> = { postgres: 5432, redis: 6379, nats: 4222 };

export interface ContainerOptions {
  dataDir: string;
  preferredPort?: number;
  log: Log;
  answers(port: number): Promise<boolean>;
}

export interface RunningContainer {
  readonly port: number;
  readonly container: string;
}

/** Is there a Docker engine that answers? A client without an engine is common and says so only when asked. */
export async function isDockerAnswering(): Promise<boolean> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: probeTimeoutMs });
    return true;
  } catch {
    return false;
  }
}

export async function startRedisContainer(
  options: ContainerOptions & { passwords: RedisPasswords },
): Promise<RunningContainer> {
  const folder = join(options.dataDir, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lines = ['bind 0.0.0.0', 'port 6379', 'dir /engine', ...redisSettings(options.passwords)];
  writeFileSync(join(folder, 'redis.conf'), `${lines.join('\n')}\n`, { mode: secretFileMode });
  return startContainer('redis', options, {
    flags: [...asOurselves(), '--entrypoint', 'redis-server', '-v', `${folder}:/engine`],
    command: ['/engine/redis.conf'],
  });
}

export async function startNatsContainer(
  options: ContainerOptions & { passwords: NatsPasswords; forTests: boolean },
): Promise<RunningContainer> {
  const folder = join(options.dataDir, 'nats');
  mkdirSync(join(folder, 'jetstream'), { recursive: true, mode: 0o700 });
  const text = natsConfiguration({
    listen: '0.0.0.0:4222',
    storeDir: '/engine/jetstream',
    passwords: options.passwords,
    forTests: options.forTests,
  });
  writeFileSync(join(folder, 'nats.conf'), text, { mode: secretFileMode });
  return startContainer('nats', options, {
    flags: [...asOurselves(), '--entrypoint', 'nats-server', '-v', `${folder}:/engine`],
    command: ['-c', '/engine/nats.conf'],
  });
}

export async function startPostgresContainer(
  options: ContainerOptions & { password: string },
): Promise<RunningContainer> {
  const folder = join(options.dataDir, 'postgres-container');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, options.password, { mode: secretFileMode });
  const settings = ['max_connections=200', 'shared_buffers=256MB', 'jit=off', 'log_min_error_statement=panic'];
  return startContainer('postgres', options, {
    flags: [
      ...['-e', 'POSTGRES_PASSWORD_FILE=/run/strongroom-password'],
      ...['-e', 'POSTGRES_INITDB_ARGS=--data-checksums --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8'],
      ...['-v', `${passwordFile}:/run/strongroom-password:ro`],
      ...['-v', `${containerName(options.dataDir, 'postgres')}:/var/lib/postgresql`],
    ],
    command: [...settings, 'log_error_verbosity=terse'].flatMap((setting) => ['-c', setting]),
  });
}

export async function stopContainer(container: string): Promise<void> {
  await run('docker', ['stop', '-t', String(stopGraceS), container], { timeout: commandTimeoutMs }).catch(
    () => undefined,
  );
  await run('docker', ['rm', '-f', container], { timeout: commandTimeoutMs }).catch(() => undefined);
}

async function startContainer(
  engine: EngineName,
  options: ContainerOptions,
  what: { flags: string[]; command: string[] },
): Promise<RunningContainer> {
  const container = containerName(options.dataDir, engine);
  // Left over from a killed run of this very data directory: the name is derived from its path.
  await run('docker', ['rm', '-f', container], { timeout: commandTimeoutMs }).catch(() => undefined);
  const port = await freePort(options.preferredPort);
  options.log(`starting ${images[engine]} in Docker (the first time it is pulled)`);
  await run(
    'docker',
    [
      ...['run', '-d', '--name', container, '--label', 'strongroom=development'],
      ...['-p', `${loopback}:${port}:${containerPorts[engine]}`, '--security-opt', 'no-new-privileges'],
      ...what.flags,
      images[engine],
      ...what.command,
    ],
    { timeout: commandTimeoutMs },
  );
  const outcome = await waitFor(() => options.answers(port), { timeoutMs: readyTimeoutMs });
  if (outcome !== 'ready') {
    const logs = await run('docker', ['logs', '--tail', '15', container]).catch(() => ({ stdout: '', stderr: '' }));
    await stopContainer(container);
    throw new Error(`${images[engine]} did not get ready in Docker:\n${logs.stdout}${logs.stderr}`);
  }
  return { port, container };
}

/** The mounted folder is ours alone (0700), so the server inside must be us. */
function asOurselves(): string[] {
  return process.getuid === undefined ? [] : ['--user', `${process.getuid()}:${process.getgid?.() ?? 0}`];
}

function containerName(dataDir: string, engine: EngineName): string {
  return `strongroom-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-${engine}`;
}
