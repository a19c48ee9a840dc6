import { randomBytes, randomUUID } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { flushLimits } from '@strongroom/platform/limits';
import { createJsonClient, createPrivateEngine, type JsonAnswer, until } from '@strongroom/testkit';
import { Redis } from 'ioredis';
import t from 'tap';
import { closeTestRedis, type Gateway, handler, paymentId, startGateway, startMesh, testRedisUrl } from './fixture.ts';

const mesh = await startMesh({
  auth: {
    login: handler(() => ({})),
    refresh: handler(() => ({ accessToken: 'a', refreshToken: 'r', expiresIn: 1 })),
    verifyMfa: handler(() => ({})),
    register: handler(() => ({})),
    requestPasswordReset: handler(() => ({})),
    resetPassword: handler(() => ({})),
    changePassword: handler(() => ({})),
  },
  payments: { getPayment: handler((request) => ({ payment: { id: request.id } })) },
});
const limits = {
  RATE_LIMIT_GENERAL_MAX: '100',
  RATE_LIMIT_AUTH_MAX: '5',
  RATE_LIMIT_AUTH_ADDRESS_MAX: '20',
  RATE_LIMIT_REFRESH_MAX: '60',
  // The address of a request is the test's to choose: it stands for a proxy that is trusted.
  TRUSTED_PROXIES: '127.0.0.1/32',
};
const redis = new Redis(await testRedisUrl());
const gateways = await Promise.all([
  startGateway(mesh, { variables: limits }),
  startGateway(mesh, { variables: limits }),
]);
const [first, second] = gateways as [Gateway, Gateway];
t.beforeEach(() => flushLimits(redis).then(() => undefined));
t.teardown(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()));
  redis.disconnect();
  await mesh.close();
  await closeTestRedis();
});

type Send = (index: number) => Promise<JsonAnswer<{ code: string; retry: string }>>;

const login =
  (headersOf: (index: number) => Record<string, string>): Send =>
  (index) =>
    createJsonClient(gateways[index % 2]?.url ?? '').post(
      '/api/v1/auth/login',
      { email: 'a@example.com', password: 'x' },
      { headers: headersOf(index) },
    );

async function statuses(count: number, send: Send): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push((await send(index)).status);
  return all;
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

t.test('S1.1a: two gateways share one budget of 5 for sign-in', async (t) => {
  const send = login(() => ({ 'user-agent': 'one', 'x-forwarded-for': '10.0.0.1' }));
  t.same(await statuses(7, send), [...times(5, 200), 429, 429]);
  t.equal((await login(() => ({ 'user-agent': 'one', 'x-forwarded-for': '10.0.0.2' }))(0)).status, 200);
  const keys = await redis.keys('rl:auth:*');
  t.ok(keys.length > 0, 'S1.1a: counters under rl:auth:');
  t.notOk(
    keys.some((key) => key.includes('one')),
    'V1.3.9: no header field is part of a key',
  );
});

t.test('S1.1a, older fault 45: rotating the User-Agent 50 times still ends in 429, after 20', async (t) => {
  const send = login((index) => ({ 'user-agent': `agent ${index}`, 'x-forwarded-for': '10.0.1.1' }));
  t.same(await statuses(50, send), [...times(20, 200), ...times(30, 429)]);
});

t.test('S1.1a: an IPv6 subscriber has one budget, whatever address of its /64 it takes', async (t) => {
  const send = login((index) => ({
    'user-agent': `a${index}`,
    'x-forwarded-for': `2001:db8::${(index + 1).toString(16)}`,
  }));
  t.same(await statuses(22, send), [...times(20, 200), 429, 429]);
});

t.test('S1.1a: register, MFA verification and the password endpoints have the strict limit too', async (t) => {
  const token = mesh.tokens.token();
  const bodies: [path: string, body: object][] = [
    ['/auth/register', { email: 'a@example.com', password: 'x', name: 'A' }],
    ['/auth/mfa/verify', { challengeId: 'c', code: '123456' }],
    ['/auth/password', { currentPassword: 'x', newPassword: 'y' }],
    ['/auth/password/reset-request', { email: 'a@example.com' }],
    ['/auth/password/reset', { token: 'x', newPassword: 'y' }],
  ];
  for (const [index, [path, body]] of bodies.entries()) {
    const headers = { 'x-forwarded-for': `10.0.2.${index}` };
    const send: Send = () => createJsonClient(first.url, { token }).post(`/api/v1${path}`, body, { headers });
    t.equal((await statuses(6, send)).filter((status) => status === 429).length, 1, path);
  }
});

t.test('S1.1a: the same limits by every protocol: a budget is not one for each', async (t) => {
  const headers = { 'user-agent': 'mixed', 'x-forwarded-for': '10.0.3.1' };
  const base = { baseUrl: first.url, httpVersion: '1.1' as const };
  const clients = [createConnectTransport(base), createGrpcWebTransport(base)].map((one) =>
    createClient(AuthService, one),
  );
  const outcomes: string[] = [];
  for (let index = 0; index < 6; index++) {
    const client = clients[index % 3];
    if (client === undefined) outcomes.push(String((await login(() => headers)(0)).status));
    else
      outcomes.push(
        await client.login({ email: 'a@example.com', password: 'x' }, { headers }).then(
          () => '200',
          (error) => String(error.code),
        ),
      );
  }
  // connect-node sends a User-Agent of its own unless told, so all six are one agent.
  t.same(outcomes, ['200', '200', '200', '200', '200', '429']);
});

t.test('S1.1a: the general limit is by user where a token is valid, and by address otherwise', async (t) => {
  const userId = randomUUID();
  const get = (token: string | undefined, address: string, gateway = first) =>
    createJsonClient(gateway.url, token === undefined ? {} : { token }).get(`/api/v1/payments/${paymentId}`, {
      headers: { 'x-forwarded-for': address },
    });
  for (let index = 0; index < 100; index++) {
    // Another token and another address each time, but one person.
    const answer = await get(mesh.tokens.token({ userId }), `10.1.${index}.1`, index % 2 === 0 ? first : second);
    if (answer.status !== 200) t.equal(answer.status, 200, `request ${index}`);
  }
  t.equal((await get(mesh.tokens.token({ userId }), '10.1.200.1')).status, 429);
  t.equal((await get(mesh.tokens.token(), '10.1.0.1')).status, 200, 'another person is not touched');
  // A token that nobody signed is nobody's: 100 different ones from one address are one budget.
  const forge = () =>
    `${mesh.tokens.token({ userId: randomUUID() }).split('.').slice(0, 2).join('.')}.${randomBytes(64).toString('base64url')}`;
  const forged: number[] = [];
  for (let index = 0; index < 102; index++) forged.push((await get(forge(), '10.1.250.1')).status);
  t.same(forged, [...times(100, 401), 429, 429]);
});

t.test('S1.1d: addresses that are not there count too', async (t) => {
  const send: Send = (index) =>
    createJsonClient(first.url).get(`/nothing/${index}`, { headers: { 'x-forwarded-for': '10.2.0.1' } });
  t.same(await statuses(102, send), [...times(100, 404), 429, 429]);
});

/** A refresh token of a session, as auth writes it. */
function refreshToken(session: Buffer): string {
  return `rt1_${Buffer.concat([session, Buffer.alloc(4), randomBytes(32)]).toString('base64url')}`;
}

t.test('S1.1a: a refresh counts against its session, 60 in the window, by REST and by RPC', async (t) => {
  const session = randomBytes(16);
  const refresh = (token: string, address: string) =>
    createJsonClient(first.url).post(
      '/api/v1/auth/refresh',
      { refreshToken: token },
      { headers: { 'x-forwarded-for': address } },
    );
  const rpc = createClient(AuthService, createConnectTransport({ baseUrl: second.url, httpVersion: '1.1' }));
  for (let index = 0; index < 60; index++) {
    const token = refreshToken(session);
    if (index % 2 === 0) t.equal((await refresh(token, `10.3.${index}.1`)).status, 200);
    else await rpc.refresh({ refreshToken: token }, { headers: { 'x-forwarded-for': `10.3.${index}.1` } });
  }
  t.equal((await refresh(refreshToken(session), '10.3.200.1')).status, 429);
  t.equal((await refresh(refreshToken(randomBytes(16)), '10.3.200.1')).status, 200, 'another session');
  t.equal((await login(() => ({ 'x-forwarded-for': '10.3.200.1' }))(0)).status, 200, 'sign-in has its own budget');
  const made = await statuses(605, (index) => refresh(refreshToken(Buffer.alloc(16, index)), '10.3.201.1') as never);
  t.equal(
    made.filter((status) => status === 429).length > 0,
    true,
    'made-up sessions of one address are bounded as well',
  );
});

t.test('S1.1c: 429 says when to come back, in both forms of the header fields', async (t) => {
  const headers = { 'user-agent': 'headers', 'x-forwarded-for': '10.4.0.1' };
  const answer = await login(() => headers)(0);
  t.equal(answer.headers.get('ratelimit-limit'), '5');
  t.equal(answer.headers.get('ratelimit-remaining'), '4');
  t.match(answer.headers.get('ratelimit-reset'), /^\d+$/);
  t.equal(answer.headers.get('ratelimit-policy'), '"auth";q=5;w=900, "auth-address";q=20;w=900');
  t.match(answer.headers.get('ratelimit'), /^"auth";r=4;t=\d+, "auth-address";r=19;t=\d+$/);
  t.equal(answer.headers.get('retry-after'), null);
  await statuses(
    4,
    login(() => headers),
  );
  const refused = await login(() => headers)(0);
  t.equal(refused.status, 429);
  t.match(refused.headers.get('content-type'), /problem\+json/);
  t.match(refused.body, { code: 'RATE_LIMITED', retry: 'after' });
  t.ok(Number(refused.headers.get('retry-after')) > 0);
  t.equal(refused.headers.get('ratelimit-remaining'), '0');
});

t.test('S1.1c: health, readiness and keys are never limited', async (t) => {
  const client = createJsonClient(first.url);
  for (const path of ['/livez', '/readyz', '/healthz', '/.well-known/jwks.json']) {
    for (let index = 0; index < 110; index++) {
      const { status } = await client.get(path, { headers: { 'x-forwarded-for': '10.5.0.1' } });
      if (status !== 200) t.equal(status, 200, path);
    }
  }
  t.equal((await redis.keys('rl:*')).length, 0);
});

t.test('S1.1c, older faults 19, 46: X-Forwarded-For counts only from a trusted proxy', async (t) => {
  const untrusting = await startGateway(mesh, { variables: { ...limits, TRUSTED_PROXIES: '' } });
  const send: Send = (index) =>
    createJsonClient(untrusting.url).post(
      '/api/v1/auth/login',
      { email: 'a@example.com', password: 'x' },
      {
        headers: {
          'user-agent': 'spoof',
          'x-forwarded-for': `10.6.0.${index}`,
          'x-real-ip': `10.6.1.${index}`,
          forwarded: `for=10.6.2.${index}`,
        },
      },
    );
  t.same(await statuses(7, send), [...times(5, 200), 429, 429]);
  await untrusting.close();
  // Behind a trusted proxy the last address that it did not write itself counts, so a client's own list is worth nothing.
  const chained = login((index) => ({ 'user-agent': 'chain', 'x-forwarded-for': `1.1.1.${index}, 10.6.9.9` }));
  t.same(await statuses(7, chained), [...times(5, 200), 429, 429]);
  const garbage = login((index) => ({ 'user-agent': 'garbage', 'x-forwarded-for': `${index}.not-an-address` }));
  t.same(await statuses(7, garbage), [...times(5, 200), 429, 429]);
});

t.test('S1.1e: flushing resets the counters', async (t) => {
  const send = login(() => ({ 'user-agent': 'flush', 'x-forwarded-for': '10.7.0.1' }));
  t.same(await statuses(6, send), [...times(5, 200), 429]);
  t.ok((await flushLimits(redis)) > 0);
  t.equal((await send(0)).status, 200);
});

t.test(
  'S1.1d: while Redis is away limits go on in each instance, and are shared again without a restart',
  async (t) => {
    const engine = await createPrivateEngine('redis');
    const pair = await Promise.all([1, 2].map(() => startGateway(mesh, { redisUrl: engine.url, variables: limits })));
    const [one, two] = pair as [Gateway, Gateway];
    const send = (gateway: Gateway, address: string) =>
      createJsonClient(gateway.url).post(
        '/api/v1/auth/login',
        { email: 'a@example.com', password: 'x' },
        {
          headers: { 'user-agent': 'outage', 'x-forwarded-for': address },
        },
      );
    const spent: number[] = [];
    for (let index = 0; index < 4; index++) spent.push((await send(one, '10.8.0.1')).status);
    await engine.kill();
    for (let index = 0; index < 8; index++) spent.push((await send(one, '10.8.0.1')).status);
    t.equal(spent.filter((status) => status === 200).length, 5, 'an outage hands out no fresh budget');
    t.same(spent.slice(-3), [429, 429, 429], 'and never unlimited');
    t.equal((await send(two, '10.8.0.2')).status, 200, 'nobody is refused because Redis is away');
    t.equal(await one.metrics.value('rate_limit_fallback_active'), 1);
    t.ok((await one.metrics.value('rate_limit_store_errors_total')) > 0);
    t.ok(
      mesh.log.some((line) => line.includes('limits are kept per instance')),
      'a log line says so',
    );
    await engine.start();
    let address = 0;
    await until(
      async () => {
        address++;
        await send(one, `10.8.1.${address}`);
        return (await one.metrics.value('rate_limit_fallback_active')) === 0;
      },
      { what: 'shared limits to come back' },
    );
    await until(async () => {
      await send(two, '10.8.2.1');
      return (await two.metrics.value('rate_limit_fallback_active')) === 0;
    });
    const shared: number[] = [];
    for (let index = 0; index < 7; index++) shared.push((await send(index % 2 === 0 ? one : two, '10.8.3.1')).status);
    t.same(shared, [...times(5, 200), 429, 429], 'one budget for both again');
    await Promise.all(pair.map((gateway) => gateway.close()));
    await engine.close();
  },
);
