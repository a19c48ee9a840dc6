import { createServer } from 'node:net';
import { commonErrors } from '@strongroom/platform/errors';
import { createFaultProxy, createJsonClient, until } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, handler, newKey, paymentBody, paymentId, startGateway, startMesh } from './fixture.ts';

let reads = 0;
let writes = 0;
let readFailures = 0;
let logins = 0;
const mesh = await startMesh({
  auth: {
    login: handler(() => {
      logins++;
      throw commonErrors.UNAVAILABLE();
    }),
  },
  payments: {
    getPayment: handler((request) => {
      reads++;
      if (readFailures > 0) {
        readFailures--;
        throw commonErrors.UNAVAILABLE();
      }
      return { payment: { id: request.id } };
    }),
    createPayment: handler(async (_request, call) => {
      writes++;
      if (call.idempotencyKey === 'slow')
        await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      throw commonErrors.UNAVAILABLE();
    }),
    cancelPayment: handler(() => ({})),
  },
});
const payments = mesh.upstreams.find(({ name }) => name === 'payments');
const proxy = await createFaultProxy({ target: payments?.url ?? '' });
const gateway = await startGateway(mesh, { urls: { payments: proxy.urlFor(payments?.url ?? '') } });
const token = mesh.tokens.token();
const client = createJsonClient(gateway.url, { token });
t.teardown(async () => {
  await gateway.close();
  await proxy.close();
  await mesh.close();
  await closeTestRedis();
});

interface Body {
  code: string;
  retry: string;
  detail: string;
}

t.test('S5.2: what the contract calls free of effects is tried again; a write never is', async (t) => {
  readFailures = 2;
  reads = 0;
  const read = await client.get(`/api/v1/payments/${paymentId}`);
  t.equal(read.status, 200);
  t.equal(reads, 3);
  const login = await client.post<Body>('/api/v1/auth/login', { email: 'a@example.com', password: 'x' });
  t.same([login.status, login.body.code, login.body.retry], [503, 'UNAVAILABLE', 'after']);
  t.ok(login.headers.get('retry-after'));
  t.equal(logins, 1);
  await client.post('/api/v1/payments', paymentBody, { headers: { 'idempotency-key': newKey() } });
  t.ok(writes > 1, 'a write under a key is called idempotent by the contract');
});

t.test('B-errors: a deadline that passes is 504, with retry advice', async (t) => {
  const slow = await client.post<Body>('/api/v1/payments', paymentBody, { headers: { 'idempotency-key': 'slow' } });
  t.same([slow.status, slow.body.code, slow.body.retry], [504, 'DEADLINE_EXCEEDED', 'now']);
  t.match(slow.headers.get('content-type'), /problem\+json/);
});

t.test(
  'B-errors: a service that is away is 503 by REST and "unavailable" by RPC, and comes back by itself',
  async (t) => {
    proxy.refuse();
    const away = await client.get<Body>(`/api/v1/payments/${paymentId}`);
    t.same([away.status, away.body.code, away.body.retry], [503, 'UNAVAILABLE', 'after']);
    t.notMatch(away.text, /ECONN|127\.0\.0\.1|localhost/, 'S6.2: no host in it');
    const rpc = await fetch(`${gateway.url}/strongroom.payments.v1.PaymentsService/GetPayment`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: paymentId }),
    });
    t.equal(rpc.status, 503);
    t.match(await rpc.json(), { code: 'unavailable' });
    t.equal((await client.get('/livez')).status, 200, 'the edge itself goes on');
    const other = await client.get<Body>('/api/v1/profile');
    t.equal(other.body.code, 'NOT_YET_BUILT', 'and so do the other services');
    proxy.heal();
    await until(async () => (await client.get(`/api/v1/payments/${paymentId}`)).status === 200, {
      what: 'payments to be back',
    });
  },
);

t.test('B-errors: a service that goes silent in the middle of a call is 504', async (t) => {
  t.equal((await client.get(`/api/v1/payments/${paymentId}`)).status, 200);
  proxy.halfOpen();
  const silent = await client.get<Body>(`/api/v1/payments/${paymentId}`);
  t.equal(silent.status, 504);
  const rpc = await fetch(`${gateway.url}/strongroom.payments.v1.PaymentsService/GetPayment`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: paymentId }),
  });
  // The first makes a new connection, which a silent host never accepts; the second has one.
  t.ok(rpc.status === 503 || rpc.status === 504);
  t.match(((await rpc.json()) as Body).code, /^(?:unavailable|deadline_exceeded)$/);
  proxy.heal();
  await until(async () => (await client.get(`/api/v1/payments/${paymentId}`)).status === 200, {
    what: 'payments to be back',
  });
});

t.test('B-zero: a server that is not the service it claims to be gets nothing', async (t) => {
  const bytes: Buffer[] = [];
  const impostor = createServer((socket) =>
    socket.on('data', (chunk) => bytes.push(chunk)).on('error', () => undefined),
  );
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
  const address = impostor.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const auth = mesh.upstreams.find(({ name }) => name === 'auth');
  // Auth has a certificate of the same authority, but not that of payments.
  for (const url of [auth?.url ?? '', `https://127.0.0.1:${port}`]) {
    const other = await startGateway(mesh, { urls: { payments: url } });
    const answer = await createJsonClient(other.url, { token }).get<Body>(`/api/v1/payments/${paymentId}`);
    t.ok(answer.status === 503 || answer.status === 504, url);
    t.notMatch(Buffer.concat(bytes).toString('latin1'), /Bearer|GetPayment/);
    await other.close();
  }
  impostor.close();
});
