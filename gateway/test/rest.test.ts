import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { commonErrors, defineErrors } from '@strongroom/platform/errors';
import type { Call } from '@strongroom/platform/rpc';
import { createJsonClient, until } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, handler, newKey, paymentBody, paymentId, startGateway, startMesh } from './fixture.ts';

const errors = defineErrors('payments.strongroom', {
  TEST_GONE: { code: Code.NotFound, status: 404, message: 'It is gone.', retry: 'never', level: 'info' },
});

const calls: { name: string; call: Call; request: unknown }[] = [];
const seen = (name: string, call: Call, request: unknown) => void calls.push({ name, call, request });

/** Calls with the key "held" are answered once this is over. */
const held = Promise.withResolvers<void>();

const mesh = await startMesh({
  auth: {
    register: handler((request, call) => {
      seen('register', call, request);
      call.responseHeader.set('x-strongroom-http-status', '202');
      return { verification: 'sent' };
    }),
  },
  admin: {
    setUserRole: handler((request, call) => {
      seen('setUserRole', call, request);
      return { user: { id: request.id } };
    }),
  },
  payments: {
    createPayment: handler(async (request, call) => {
      seen('createPayment', call, request);
      if (call.idempotencyKey === 'held') await held.promise;
      if (call.idempotencyKey === 'again') call.responseHeader.set('idempotency-replayed', 'true');
      return { payment: { id: paymentId, description: request.description, amount: request.amount } };
    }),
    getPayment: handler((request, call) => {
      seen('getPayment', call, request);
      if (request.id === paymentId) return { payment: { id: request.id } };
      throw errors.TEST_GONE();
    }),
    listPayments: handler((request, call) => {
      seen('listPayments', call, request);
      return {};
    }),
    removePaymentMethod: handler(() => {
      throw new Error('select * from secrets at db.internal:5432');
    }),
    getBalances: handler(() => {
      throw commonErrors.OVERLOADED({ metadata: { shed: 'reads' }, retryAfterMs: 2_500 });
    }),
    receivePspWebhook: handler((request, call) => {
      seen('receivePspWebhook', call, request);
      return { applied: true };
    }),
  },
});
const gateway = await startGateway(mesh);
const token = mesh.tokens.token({ userId: '01890000-0000-7000-8000-0000000000aa' });
const client = createJsonClient(gateway.url, { token });
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
});

const lastCall = () => calls.at(-1) as (typeof calls)[number];

t.test(
  'contract: POST /api/v1/payments reaches its RPC with everything that is known, and 201 comes back',
  async (t) => {
    const key = newKey();
    const answer = await client.post('/api/v1/payments', paymentBody, {
      headers: { 'idempotency-key': key, 'user-agent': 'test/1', 'x-device-id': 'device-1' },
    });
    t.equal(answer.status, 201);
    t.match(answer.body, {
      payment: { id: paymentId, description: 'Dinner', amount: { currencyCode: 'EUR', minorUnits: '1250' } },
    });
    t.match(answer.headers.get('content-type'), /^application\/json/);
    const { call } = lastCall();
    t.equal(call.idempotencyKey, key);
    t.equal(call.caller, 'gateway');
    t.equal(call.ipAddress, '127.0.0.1');
    t.equal(call.userAgent, 'test/1');
    t.equal(call.deviceId, 'device-1');
    t.equal(call.principal?.userId, '01890000-0000-7000-8000-0000000000aa');
    t.equal(call.requestId, answer.headers.get('x-request-id'));
    t.ok(call.deadline.remainingMs() <= 5_000);
  },
);

t.test(
  'F19: of a hundred requests with one key a few reach the service, all others are told to come back',
  async (t) => {
    const post = (as: string) =>
      client.post('/api/v1/payments', paymentBody, { headers: { 'idempotency-key': 'held' }, token: as });
    const others = mesh.tokens.token({ userId: '01890000-0000-7000-8000-0000000000bb' });
    const count = () => calls.filter(({ call }) => call.idempotencyKey === 'held').length;
    const told: Awaited<ReturnType<typeof post>>[] = [];
    const storm = Array.from({ length: 100 }, async () => {
      const answer = await post(token);
      if (answer.status !== 201) told.push(answer);
      return answer;
    });
    await until(() => told.length === 84);
    for (const { status, body, headers } of told) {
      t.match({ status, body }, { status: 409, body: { code: 'IDEMPOTENCY_IN_PROGRESS', retry: 'after' } });
      t.equal(headers.get('retry-after'), '1');
    }
    const another = post(others);
    await until(() => count() === 17);
    held.resolve();
    t.equal((await another).status, 201, 'the same key of another person is another key');
    const answers = await Promise.all(storm);
    t.equal(answers.filter(({ status }) => status === 201).length, 16);
    t.equal((await post(token)).status, 201, 'and the way is free again');
  },
);

t.test('contract: lists have every field, the status may be the use case, replays are told', async (t) => {
  const list = await client.get('/api/v1/payments?pageSize=5');
  t.equal(list.status, 200);
  t.match(list.body, { payments: [], nextPageToken: '' });
  t.match(lastCall().request, { pageSize: 5 });
  const register = await client.post('/api/v1/auth/register', { email: 'a@example.com', password: 'x', name: 'A' });
  t.equal(register.status, 202);
  t.equal(register.headers.get('x-strongroom-http-status'), null);
  const replayed = await client.post('/api/v1/payments', paymentBody, { headers: { 'idempotency-key': 'again' } });
  t.equal(replayed.headers.get('idempotency-replayed'), 'true');
  const first = await client.post('/api/v1/payments', paymentBody, { headers: { 'idempotency-key': newKey() } });
  t.equal(first.headers.get('idempotency-replayed'), null);
});

t.test('B-hooks: the webhook of the PSP arrives byte for byte, with its signature', async (t) => {
  const body = '{ "b" : 1,\n"a":2 }';
  const answer = await client.request('POST', '/api/v1/webhooks/psp', {
    body,
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': 'v1,abc',
      authorization: '',
    },
  });
  t.equal(answer.status, 200);
  const { call, request } = lastCall();
  const { payload } = request as { payload: { data: Uint8Array; contentType: string } };
  t.equal(Buffer.from(payload.data).toString(), body);
  t.equal(payload.contentType, 'application/json');
  t.equal(call.requestHeader.get('webhook-id'), 'msg_1');
  t.equal(call.requestHeader.get('webhook-signature'), 'v1,abc');
  const form = await client.request('POST', '/api/v1/webhooks/psp', {
    body,
    headers: { 'content-type': 'text/plain' },
  });
  t.equal(form.status, 415, 'V3.5.2: and in no type that a form can send');
});

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  retry: string;
  errors: { field: string; rule: string; message: string }[];
  metadata?: Record<string, string>;
}

t.test('B-errors: errors of services are problem details with code, retry advice and fields', async (t) => {
  const gone = await client.get<ProblemBody>(`/api/v1/payments/${randomUUID()}`);
  t.equal(gone.status, 404);
  t.match(gone.headers.get('content-type'), /^application\/problem\+json/);
  t.same(gone.body, {
    type: 'urn:strongroom:problem:test-gone',
    title: 'Test gone',
    status: 404,
    detail: 'It is gone.',
    instance: `urn:strongroom:request:${gone.headers.get('x-request-id')}`,
    code: 'TEST_GONE',
    requestId: gone.headers.get('x-request-id'),
    retry: 'never',
    errors: [],
  });
  const invalid = await client.post<ProblemBody>(
    '/api/v1/payments',
    { ...paymentBody, amount: { currencyCode: 'EU', minorUnits: '0' }, description: '' },
    { headers: { 'idempotency-key': newKey() } },
  );
  t.equal(invalid.status, 400);
  t.equal(invalid.body.code, 'VALIDATION_FAILED');
  const fields = invalid.body.errors.map(({ field }) => field);
  t.ok(fields.includes('description') && fields.includes('amount.currencyCode'), 'fields are named as in JSON');
  const unkeyed = await client.post<ProblemBody>('/api/v1/payments', paymentBody);
  t.match(unkeyed.body, { status: 400, code: 'IDEMPOTENCY_KEY_REQUIRED' });
  const busy = await client.get<ProblemBody>('/api/v1/ledger/balances');
  t.match(busy.body, { status: 503, code: 'OVERLOADED', retry: 'after' });
  t.same(busy.body.metadata, { shed: 'reads' }, 'what else it says is there; what is internal to the mapping is not');
  t.equal(busy.headers.get('retry-after'), '3');
  const unbuilt = await client.get<ProblemBody>('/api/v1/profile');
  t.match(unbuilt.body, { status: 501, code: 'NOT_YET_BUILT' });
});

t.test('S6.2: an unknown error tells nothing of the inside', async (t) => {
  const answer = await client.delete<ProblemBody>(`/api/v1/payment-methods/${paymentId}`);
  t.equal(answer.status, 500);
  t.equal(answer.body.code, 'INTERNAL');
  t.notMatch(answer.text, /secrets|5432|Error|at /);
});

t.test('S6.2: 401 names its scheme', async (t) => {
  const anonymous = await createJsonClient(gateway.url).get<ProblemBody>('/api/v1/payments');
  t.equal(anonymous.body.code, 'UNAUTHENTICATED');
  t.equal(anonymous.headers.get('www-authenticate'), 'Bearer realm="strongroom"');
  const forged = await createJsonClient(gateway.url, { token: 'a.b.c' }).get<ProblemBody>('/api/v1/payments');
  t.equal(forged.body.code, 'TOKEN_INVALID');
  t.match(forged.headers.get('www-authenticate'), /error="invalid_token"/);
});

t.test('V4.1.3: what only the edge may say is not taken from a client', async (t) => {
  await client.get(`/api/v1/payments/${paymentId}`, {
    headers: {
      'x-forwarded-for': '8.8.8.8',
      'x-real-ip': '8.8.8.8',
      'x-user-id': 'root',
      'x-role': 'ADMIN',
      'x-internal-secret': '1',
      'x-request-id': 'mine',
      'x-strongroom-client-ip': '8.8.8.8',
      'x-strongroom-request-id': 'mine-mine-mine',
      'x-strongroom-client-agent': 'forged',
      'user-agent': 'honest',
    },
  });
  const { call } = lastCall();
  t.equal(call.ipAddress, '127.0.0.1');
  t.equal(call.userAgent, 'honest');
  t.notMatch(call.requestId, /mine/);
  const names = [...call.requestHeader.keys()];
  t.notOk(
    names.some((name) => /^x-(?:user-id|role|internal|real|forwarded)/.test(name)),
    names.join(' '),
  );
});

t.test('SM: a valid traceparent goes through, a malformed one starts a new trace', async (t) => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  await client.get(`/api/v1/payments/${paymentId}`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
  t.equal(lastCall().call.traceId, traceId);
  await client.get(`/api/v1/payments/${paymentId}`, { headers: { traceparent: `00-${traceId}-xx-01` } });
  t.match(lastCall().call.traceId, /^[0-9a-f]{32}$/);
  t.not(lastCall().call.traceId, traceId);
});

t.test('S1.4, older system 1.4: a role is set by PUT and by PATCH', async (t) => {
  const path = `/api/v1/admin/users/${paymentId}/role`;
  const admin = createJsonClient(gateway.url, { token: mesh.tokens.token({ role: 'ADMIN' }) });
  for (const method of ['put', 'patch'] as const) {
    const answer = await admin[method](path, { role: 'ROLE_VENDOR' });
    t.match(answer, { status: 200, body: { user: { id: paymentId } } }, answer.text);
    t.match(calls.at(-1), { name: 'setUserRole', request: { id: paymentId } });
  }
});
