import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { secretFileMode } from '../support/files.ts';
import type { Log, ServiceName } from '../support/names.ts';
import { loopback } from '../support/ports.ts';
import { stopProcess } from '../support/process-table.ts';
import { type NatsPermissions, natsPermissionsOf } from './access.ts';
import { launchServer } from './launch.ts';
import type { ServerBinary } from './server-binary.ts';

const stopGraceMs = 10_000;
const connectTimeoutMs = 2_000;

export interface NatsPasswords {
  readonly administrator: string;
  readonly services: Readonly<Record<ServiceName, string>>;
}

/** Empty accounts, each with streams and subjects of its own, that tests lease so that they never meet. */
export const testAccountCount = 64;

export interface NatsOptions {
  binary: ServerBinary;
  dataDir: string;
  logFile: string;
  passwords: NatsPasswords;
  forTests: boolean;
  preferredPort?: number;
  log: Log;
}

export interface RunningNats {
  readonly port: number;
  readonly pid: number;
}

export const natsAdministrator = 'administrator';

export async function startNats(options: NatsOptions): Promise<RunningNats> {
  const folder = join(options.dataDir, 'nats');
  mkdirSync(join(folder, 'jetstream'), { recursive: true, mode: 0o700 });
  const configuration = join(folder, 'nats.conf');
  return launchServer({
    name: 'NATS',
    binary: options.binary,
    logFile: options.logFile,
    preferredPort: options.preferredPort,
    prepare(port) {
      const text = natsConfiguration({
        listen: `${loopback}:${port}`,
        storeDir: join(folder, 'jetstream'),
        passwords: options.passwords,
        forTests: options.forTests,
      });
      writeFileSync(configuration, text, { mode: secretFileMode });
      return ['-c', configuration];
    },
    answers: (port) => answers(natsUrl(port, natsAdministrator, options.passwords.administrator)),
  });
}

export async function stopNats(pid: number): Promise<void> {
  await stopProcess(pid, { graceMs: stopGraceMs });
}

export function natsUrl(port: number, user: string, password: string): string {
  return `nats://${user}:${password}@${loopback}:${port}`;
}

/** Also what the container is given. Without credentials a connection is refused: there is no default user. */
export function natsConfiguration(options: {
  listen: string;
  storeDir: string;
  passwords: NatsPasswords;
  forTests: boolean;
}): string {
  const { administrator, services } = options.passwords;
  const users = [
    `{ user: "${natsAdministrator}", password: "${administrator}" }`,
    ...Object.entries(services).map(([name, password]) =>
      natsUser(name, password, natsPermissionsOf[name as ServiceName]),
    ),
  ];
  const testAccounts = testAccountNames(options.forTests).map(
    (name) => `  ${name} { jetstream: enabled, users: [ { user: "${name}", password: "${administrator}" } ] }`,
  );
  return `listen: "${options.listen}"
server_name: "strongroom"
max_payload: 1MB
jetstream {
  store_dir: "${options.storeDir}"
  max_memory_store: 64MB
  max_file_store: 2GB
}
accounts {
  STRONGROOM {
    jetstream: enabled
    users: [
      ${users.join('\n      ')}
    ]
  }
${testAccounts.join('\n')}
}
`;
}

export function testAccountNames(forTests: boolean): string[] {
  return forTests ? Array.from({ length: testAccountCount }, (_, index) => `TEST${index}`) : [];
}

function natsUser(name: string, password: string, permissions: NatsPermissions): string {
  const list = (subjects: readonly string[]) => `[${subjects.map((subject) => `"${subject}"`).join(', ')}]`;
  return `{ user: "${name}", password: "${password}", permissions: {
        publish: { allow: ${list(permissions.publish)} }, subscribe: { allow: ${list(permissions.subscribe)} } } }`;
}

/** nats.js ignores credentials inside the URL, so they are taken out of it. */
export async function answers(url: string): Promise<boolean> {
  const { host, username, password } = new URL(url);
  try {
    const connection = await connect({
      servers: host,
      timeout: connectTimeoutMs,
      reconnect: false,
      ...(username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
