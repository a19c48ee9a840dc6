import { join } from 'node:path';
import { spawnProcess, until } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, startMesh, testRedisUrl } from './fixture.ts';

const mesh = await startMesh({});
t.teardown(async () => {
  await mesh.close();
  await closeTestRedis();
});

t.setTimeout(120_000);

const entry = 'gateway/src/main.ts';
const port = 20_000 + (process.pid % 20_000);

t.test('S5.3: the process starts, is ready once it has keys, serves, and closes by itself', async (t) => {
  const urls = Object.fromEntries(mesh.upstreams.map(({ name, url }) => [`${name.toUpperCase()}_URL`, url]));
  const gateway = await spawnProcess({
    name: 'gateway',
    entry,
    env: {
      PORT: String(port),
      REDIS_URL: await testRedisUrl(),
      TLS_CA_FILE: join(mesh.folder, 'ca.pem'),
      TLS_CERT_FILE: join(mesh.folder, 'gateway.pem'),
      TLS_KEY_FILE: join(mesh.folder, 'gateway.key.pem'),
      ...urls,
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
  const health = async () =>
    (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as { status: string; checks: { name: string }[] };
  await until(async () => (await health()).status === 'ok', { what: 'every part to answer' });
  t.same((await health()).checks.map(({ name }) => name).sort(), [
    'admin',
    'auth',
    'keys',
    'payments',
    'profile',
    'redis',
  ]);
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/payments`);
  t.equal(answer.status, 401);
  t.equal(await gateway.stop(), 0);
  const line = gateway.logs.find(({ route }) => route === '/api/v1/payments');
  t.match(line, { route: '/api/v1/payments', status: 401, code: 'UNAUTHENTICATED' });
});

t.test('S3.2: a wrong configuration is told whole, without a value, and ends the process', async (t) => {
  const gateway = await spawnProcess({
    name: 'gateway',
    entry,
    env: {
      PORT: '99999',
      CORS_ORIGINS: 'https://*.example',
      REDIS_URL: 'http://user:secret-value@x',
      RATE_LIMIT_AUTH_MAX: '0',
    },
  });
  const { code } = await gateway.exited;
  t.not(code, 0);
  await until(() => gateway.logs.length > 0);
  const text = gateway.logs.map(({ msg }) => msg).join('\n');
  for (const name of ['PORT', 'CORS_ORIGINS', 'REDIS_URL', 'RATE_LIMIT_AUTH_MAX'])
    t.match(text, new RegExp(`${name}:`), name);
  t.notMatch(text, /secret-value/);
});
