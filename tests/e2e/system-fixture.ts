import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testEngines } from '@strongroom/testkit';
import t from 'tap';
import { removeEngines } from '../../scripts/engines/index.ts';
import { createPerson, type Person } from '../../scripts/journey/client.ts';
import { freePort } from '../../scripts/support/ports.ts';
import { quickStart } from '../../scripts/support/quick-start.ts';
import { defaultPorts } from '../../scripts/system/plan.ts';
import { type RunningSystem, startSystem } from '../../scripts/system/start-system.ts';

/** Of everyone whom the fixture registers. */
export const testPassword = 'Vault-Of-Granite-9z!';

const unlimited = '1000000';
const warningsMax = 40;

/** Limits out of the way and cheap passwords: what these tests are not about. */
const calm = {
  RATE_LIMIT_GENERAL_MAX: unlimited,
  RATE_LIMIT_AUTH_MAX: unlimited,
  RATE_LIMIT_AUTH_ADDRESS_MAX: unlimited,
  RATE_LIMIT_REFRESH_MAX: unlimited,
  RATE_LIMIT_SERVICE_MAX: unlimited,
  BCRYPT_COST: '6',
  LOG_LEVEL: 'info',
};

export interface TestSystem extends RunningSystem {
  /** Address of a service's own port, in clear, as operators use it. */
  direct(name: 'auth' | 'payments' | 'profile' | 'admin' | 'gateway'): string;
  /** A registered person, signed in. */
  person(name: string): Promise<SignedIn>;
  /** The first administrator, signed in, its password changed. */
  administrator(): Promise<SignedIn>;
}

export interface SignedIn extends Person {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

/** A call with any method, by the person's token and with a key of its own. */
export async function send(
  { gatewayUrl }: Pick<TestSystem, 'gatewayUrl'>,
  { token }: SignedIn,
  method: string,
  path: string,
  body?: unknown,
) {
  const response = await fetch(`${gatewayUrl}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: an outside client, which knows no types of ours
  const json: any = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, text, json };
}

/** The whole system with engines of its own, on free ports and in a folder of its own; gone when the test ends. */
export async function startTestSystem(
  teardown: (close: () => Promise<void>) => void,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestSystem> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strongroom-e2e-'));
  // As root, PostgreSQL runs under an account of its own, which must be able to enter.
  await chmod(dataDir, 0o711);
  const release = guard(dataDir);
  const system = await startSystem({
    dataDir,
    log: () => undefined,
    packagesDir: testEngines().packagesDir,
    environment: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...calm,
      ...(await freePorts()),
      ...environment,
    },
  });
  teardown(async () => {
    await system.stop();
    if (!t.passing()) await printWarnings(join(dataDir, 'logs'));
    await removeEngines(dataDir);
    release();
  });
  const password = testPassword;
  let count = 0;
  const signIn = async (person: Person, email: string, secret: string, id: string): Promise<SignedIn> => {
    const { body, text } = await person.post('/auth/login', { body: { email, password: secret } });
    if (body?.tokens === undefined) throw new Error(`${person.name} could not sign in: ${text}`);
    return { ...person, id, email, token: body.tokens.accessToken };
  };
  return {
    ...system,
    direct(name) {
      const port = system.plans.find((plan) => plan.name === name)?.ports[0]?.port;
      return `http://127.0.0.1:${port}`;
    },
    async person(name) {
      count += 1;
      const person = createPerson(`${name}-${count}`, system.gatewayUrl);
      const email = `${name}.${count}@example.com`;
      const { body, text } = await person.post('/auth/register', { body: { email, password, name: `${name} Test` } });
      if (body?.user === undefined) throw new Error(`${name} could not register: ${text}`);
      return { ...person, id: body.user.id, email, token: body.tokens.accessToken };
    },
    async administrator() {
      const file = join(dataDir, 'first-admin.json');
      const known = JSON.parse(await readFile(file, 'utf8')) as { email: string; password: string };
      const person = createPerson('administrator', system.gatewayUrl);
      const { tokens } = (await person.post('/auth/login', { body: known })).body;
      const changed = `${password}-Keeper`;
      await person.post('/auth/password', {
        token: tokens.accessToken,
        body: { currentPassword: known.password, newPassword: changed },
      });
      // As the journey does: whoever comes next finds the password that counts.
      await writeFile(file, JSON.stringify({ email: known.email, password: changed }), { mode: 0o600 });
      return await signIn(person, known.email, changed, '');
    },
  };
}

/** What the processes logged as a warning or worse goes with the folder, and is the reason why a test failed. */
async function printWarnings(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
    for (const line of lines.filter(isWarning).slice(-warningsMax)) process.stderr.write(`${name}: ${line}\n`);
  }
}

function isWarning(line: string): boolean {
  return /"level":"(?:warn|error|fatal)"/.test(line);
}

/** Has the system stopped should this process end without doing so. The answer is called once it has. */
function guard(dataDir: string): () => void {
  const script = join(import.meta.dirname, 'system-guard.ts');
  const child = spawn(process.execPath, [...quickStart.arguments, script, dataDir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // Ctrl-C ends the test, not what cleans up after it.
    env: { PATH: process.env['PATH'], ...quickStart.environment },
  });
  child.unref();
  return () => child.stdin.end('released');
}

async function freePorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {};
  for (const name of Object.keys(defaultPorts)) {
    const prefix = name.toUpperCase().replaceAll('-', '_');
    ports[`${prefix}_PORT`] = String(await freePort());
    ports[`${prefix}_METRICS_PORT`] = '0';
  }
  return ports;
}
