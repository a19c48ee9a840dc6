// The first container of docker-compose.yml: makes every password, key and certificate of the deployment once, and
// hands each container its own and no other's, in a volume that nobody else mounts.
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { natsConfiguration } from '../../scripts/engines/nats.ts';
import { redisSettings } from '../../scripts/engines/redis.ts';
import { type EngineSecrets, engineSecrets } from '../../scripts/engines/state.ts';
import { randomPassword, readJson, writeJson } from '../../scripts/support/files.ts';
import { type DatabaseName, type ServiceName, serviceNames } from '../../scripts/support/names.ts';
import { type SystemSecrets, systemSecrets } from '../../scripts/system/secrets.ts';

/** Where the volumes are mounted: `deployment`, and one folder for each container. */
const root = process.argv[2] ?? '/secrets';
/** Containers run as different users of one group; a volume is mounted by its own container alone. */
const sharedMode = 0o440;
const publicMode = 0o444;

const hosts = { postgres: 'postgres:5432', redis: 'redis:6379', nats: 'nats:4222' };
type StoringService = Exclude<ServiceName, 'gateway'>;

async function main(): Promise<void> {
  const deployment = join(root, 'deployment');
  const system = await systemSecrets(deployment);
  const engines = await engineSecrets(deployment);
  await writeDevelopmentCertificates(join(deployment, 'tls'), serviceNames);
  await writeEngineFiles(engines);
  for (const name of serviceNames) {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await copyFor(join(deployment, 'tls', 'ca.pem'), join(folder, 'ca.pem'));
    await copyFor(join(deployment, 'tls', `${name}.pem`), join(folder, 'certificate.pem'));
    await copyFor(join(deployment, 'tls', `${name}.key.pem`), join(folder, 'key.pem'));
    await writeEnvironment(name, serviceEnvironment(name, system, engines));
  }
  await writeEnvironment('psp-sandbox', pspEnvironment(system));
  await writeEnvironment('migrate', { POSTGRES_URL: postgresUrl('postgres', engines.postgres, 'postgres') });
  await writeFor(join(root, 'grafana', 'password'), await grafanaPassword(deployment), sharedMode);
}

function serviceEnvironment(name: ServiceName, system: SystemSecrets, engines: EngineSecrets): Record<string, string> {
  const redis = { REDIS_URL: `redis://${name}:${engines.redis.services[name]}@${hosts.redis}/0` };
  if (name === 'gateway') return redis;
  return {
    ...redis,
    ...storingEnvironment(name, system),
    NATS_URL: `nats://${name}:${engines.nats.services[name]}@${hosts.nats}`,
  };
}

function storingEnvironment(name: StoringService, system: SystemSecrets): Record<string, string> {
  const runtimeUrl = (database: DatabaseName) =>
    postgresUrl(`${database}_app`, system.roles[database].runtime, `${database}_db`);
  return {
    DATABASE_URL: runtimeUrl(name),
    ENCRYPTION_MASTER_KEY: system.masterKeys[name],
    ...(name === 'admin' ? { AUDIT_DATABASE_URL: runtimeUrl('audit') } : {}),
    NOTICE_KEY: system.noticeKey,
    ...(name === 'payments' ? { PSP_API_KEY: system.pspApiKey, PSP_WEBHOOK_SECRET: system.pspWebhookSecret } : {}),
  };
}

function pspEnvironment(system: SystemSecrets): Record<string, string> {
  return { PSP_API_KEY: system.pspApiKey, PSP_WEBHOOK_SECRET: system.pspWebhookSecret };
}

async function grafanaPassword(deployment: string): Promise<string> {
  const path = join(deployment, 'grafana.json');
  const known = await readJson<{ password: string }>(path);
  if (known) return known.password;
  const made = { password: randomPassword() };
  await writeJson(path, made);
  return made.password;
}

async function writeEngineFiles({ postgres, redis, nats }: EngineSecrets): Promise<void> {
  await writeFor(join(root, 'postgres', 'password'), postgres, publicMode);
  const redisLines = ['bind * -::*', 'port 6379', 'dir /data', ...redisSettings(redis)];
  await writeFor(join(root, 'redis', 'redis.conf'), `${redisLines.join('\n')}\n`, sharedMode);
  const natsText = natsConfiguration({
    listen: '0.0.0.0:4222',
    storeDir: '/data/jetstream',
    passwords: nats,
    forTests: false,
  });
  // Asked by the container's health check; no port of it is published.
  await writeFor(join(root, 'nats', 'nats.conf'), `${natsText}http: "127.0.0.1:8222"\n`, sharedMode);
}

function postgresUrl(role: string, password: string, database: string): string {
  return `postgres://${role}:${password}@${hosts.postgres}/${database}`;
}

async function writeEnvironment(name: string, variables: Record<string, string>): Promise<void> {
  await writeFor(join(root, name, 'environment.json'), JSON.stringify(variables), sharedMode);
}

async function writeFor(path: string, content: string, mode: number): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await chmod(path, 0o600).catch(() => undefined);
  await writeFile(path, content, { mode });
  await chmod(path, mode);
}

async function copyFor(from: string, to: string): Promise<void> {
  await chmod(to, 0o600).catch(() => undefined);
  await copyFile(from, to);
  await chmod(to, sharedMode);
}

await main();
console.log('Every container has its credentials.');
