// PostgreSQL, Redis and NATS by TLS, each through a front that insists on it in the way of its own protocol.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createBus } from '@strongroom/platform/bus';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { openRedis } from '@strongroom/platform/service';
import { createTestNats, createTestRedis, createTlsFront, type EngineProtocol, until } from '@strongroom/testkit';
import t from 'tap';
import { createDatabaseFixture, createTestLogger } from '../database/fixture.ts';

const resetRounds = 8;
const fixture = await createDatabaseFixture();
const redis = await createTestRedis();
const nats = await createTestNats();
const folders = await Promise.all([makeAuthority(), makeAuthority()]);
const [ours, foreign] = folders;
t.teardown(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
  await Promise.all([fixture.close(), redis.close(), nats.close()]);
});

async function makeAuthority(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-tls-'));
  await writeDevelopmentCertificates(folder, ['engine']);
  return folder;
}

const targets: Record<EngineProtocol, string> = {
  postgres: fixture.test.runtimeUrl,
  redis: redis.url,
  nats: nats.url,
};

async function startFront(protocol: EngineProtocol, host?: string) {
  const cert = await readFile(join(ours, 'engine.pem'), 'utf8');
  const key = await readFile(join(ours, 'engine.key.pem'), 'utf8');
  return createTlsFront({ target: targets[protocol], protocol, cert, key, ...(host === undefined ? {} : { host }) });
}

/** Asks the engine one thing by the client that every process uses, and says what became of it. */
const ask: Record<EngineProtocol, (url: URL, caFile: string) => Promise<string>> = {
  async postgres(url, caFile) {
    url.searchParams.set('sslmode', 'verify-full');
    const database = await fixture.open({ ENGINES_CA_FILE: caFile }, url.href);
    return database.check().then(
      () => 'answered',
      () => 'refused',
    );
  },
  async redis(url, caFile) {
    const client = openRedis(url.href.replace('redis:', 'rediss:'), createTestLogger().logger, caFile);
    const outcome = await new Promise<string>((resolve) => {
      client.once('ready', () => resolve('answered')).once('error', () => resolve('refused'));
    });
    client.disconnect();
    return outcome;
  },
  async nats(url, caFile) {
    const { logger, lines } = createTestLogger();
    const bus = createBus({ url: url.href.replace('nats:', 'tls:'), name: 'tester', logger, caFile });
    const outcome = await until(() => {
      if (bus.state().isConnected) return 'answered';
      return lines.some(({ msg }) => msg === 'the bus does not answer yet') ? 'refused' : undefined;
    });
    await bus.close();
    return outcome;
  },
};

for (const protocol of ['postgres', 'redis', 'nats'] as const) {
  t.test(`ASVS V12.3.2, V12.3.4: ${protocol} is taken for itself by its certificate alone`, async (t) => {
    const front = await startFront(protocol);
    const elsewhere = await startFront(protocol, '127.0.0.2');
    t.teardown(() => Promise.all([front.close(), elsewhere.close()]));
    t.equal(await ask[protocol](front.url, join(ours, 'ca.pem')), 'answered');
    t.equal(await ask[protocol](front.url, join(foreign, 'ca.pem')), 'refused', 'by another authority');
    t.equal(await ask[protocol](elsewhere.url, join(ours, 'ca.pem')), 'refused', 'under another name');
    t.equal(await ask[protocol](new URL(targets[protocol]), join(ours, 'ca.pem')), 'refused', 'without TLS');
  });
}

t.test('F9: by TLS too, a query that meets the reset of its connection is answered', async (t) => {
  const front = await startFront('postgres');
  t.teardown(() => front.close());
  const { url } = front;
  url.searchParams.set('sslmode', 'verify-full');
  const variables = { DB_POOL_MAX_CONNECTIONS: '2', ENGINES_CA_FILE: join(ours, 'ca.pem') };
  const database = await fixture.open(variables, url.href);
  const query = () => database.sql<{ given: number }[]>`select ${1}::int as given`;
  for (let round = 0; round < resetRounds; round += 1) {
    await until(() => Promise.all([query(), query()]));
    front.cut();
    await delay(round % 4);
    const answers = Promise.allSettled([query(), query()]);
    t.ok(await until(() => database.pool().active === 0), `round ${round}: nobody is left waiting`);
    for (const answer of await answers) {
      if (answer.status === 'fulfilled') t.equal(answer.value[0]?.given, 1);
      else t.match(answer.reason, { message: /unavailable|try again/i });
    }
  }
});
