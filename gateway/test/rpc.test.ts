import { once } from 'node:events';
import { connect } from 'node:net';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { ErrorInfoSchema, RetryInfoSchema } from '@strongroom/gen/google/rpc/error_details_pb.ts';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, methodPolicy } from '@strongroom/platform/rpc';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, handler, newKey, paymentId, startGateway, startMesh, streamHandler } from './fixture.ts';

const calls: Call[] = [];
let openStreams = 0;
let isStreamEnding = false;
const mesh = await startMesh({
  auth: { login: handler(() => ({ deviceToken: 'known' })) },
  payments: {
    createPayment: handler((request, call) => {
      calls.push(call);
      return { payment: { id: paymentId, description: request.description } };
    }),
    getPayment: handler((request, call) => {
      calls.push(call);
      if (request.id === paymentId) return { payment: { id: request.id } };
      throw commonErrors.OVERLOADED({ retryAfterMs: 1_500 });
    }),
    watchPayments: streamHandler(async function* (_request, call) {
      calls.push(call);
      openStreams++;
      try {
        yield { payment: { id: paymentId, description: 'first' } };
        while (!isStreamEnding) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (call.signal.aborted) return;
        }
        yield { payment: { id: paymentId, description: 'last' } };
      } finally {
        openStreams--;
      }
    }),
  },
  admin: {
    watchAuditEvents: streamHandler(async function* () {
      yield* [];
    }),
  },
});
const gateway = await startGateway(mesh, { variables: { EDGE_STREAMS_PER_CALLER_MAX: '2' } });
const token = mesh.tokens.token();
const headers = { authorization: `Bearer ${token}` };
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
});

const base = { baseUrl: gateway.url, httpVersion: '1.1' as const };
const transports: [name: string, transport: Transport][] = [
  ['Connect binary', createConnectTransport(base)],
  ['Connect JSON', createConnectTransport({ ...base, useBinaryFormat: false })],
  ['Connect GET', createConnectTransport({ ...base, useHttpGet: true })],
  ['gRPC-Web', createGrpcWebTransport(base)],
  ['gRPC-Web JSON', createGrpcWebTransport({ ...base, useBinaryFormat: false })],
];

const errorOf = async (call: Promise<unknown>): Promise<ConnectError> => {
  const result = await call.then(
    () => new Error('no error came'),
    (error: unknown) => error,
  );
  if (!(result instanceof ConnectError)) throw result;
  return result;
};

t.test('architecture: Connect and gRPC-Web of browsers pass through on the same origin', async (t) => {
  for (const [name, transport] of transports) {
    const payments = createClient(PaymentsService, transport);
    const read = await payments.getPayment({ id: paymentId }, { headers });
    t.equal(read.payment?.id, paymentId, name);
    t.equal(calls.at(-1)?.caller, 'gateway', `${name}: the gateway's own identity`);
    t.equal(calls.at(-1)?.ipAddress, '127.0.0.1', `${name}: the client's address`);
    const key = newKey();
    const request = {
      type: PaymentType.INSTANT,
      amount: { currencyCode: 'EUR', minorUnits: 5n },
      recipientEmail: 'b@example.com',
      description: name,
    };
    const made = await payments.createPayment(request, { headers: { ...headers, 'idempotency-key': key } });
    t.equal(made.payment?.description, name);
    t.equal(calls.at(-1)?.idempotencyKey, key, `${name}: the key`);
    const login = await createClient(AuthService, transport).login({ email: 'a@example.com', password: 'x' });
    t.equal(login.deviceToken, 'known', `${name}: auth`);
  }
});

t.test('S6.2: errors pass through with their details', async (t) => {
  for (const [name, transport] of transports) {
    const error = await errorOf(
      createClient(PaymentsService, transport).getPayment({ id: '01890000-0000-7000-8000-000000000002' }, { headers }),
    );
    t.equal(error.code, Code.Unavailable, name);
    t.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, 'OVERLOADED', name);
    t.equal(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n, name);
  }
});

t.test(
  'contract: a server stream delivers at once, ends with its caller, and is bounded for each caller',
  async (t) => {
    for (const [name, transport] of transports.filter(([one]) => one !== 'Connect GET')) {
      const payments = createClient(PaymentsService, transport);
      const abort = new AbortController();
      const stream = payments.watchPayments({}, { headers, signal: abort.signal })[Symbol.asyncIterator]();
      t.equal(
        (await stream.next()).value?.payment?.description,
        'first',
        `${name}: delivered while the stream is open`,
      );
      t.equal(openStreams, 1, name);
      abort.abort();
      await stream.next().catch(() => undefined);
      await until(() => openStreams === 0, { what: `${name}: the service sees the end` });
    }
    const payments = createClient(PaymentsService, createConnectTransport(base));
    const open = [1, 2].map(() => payments.watchPayments({}, { headers })[Symbol.asyncIterator]());
    for (const stream of open) await stream.next();
    const refused = await errorOf(payments.watchPayments({}, { headers })[Symbol.asyncIterator]().next());
    t.equal(refused.code, Code.ResourceExhausted);
    t.equal(refused.findDetails(ErrorInfoSchema)[0]?.reason, 'TOO_MANY_STREAMS');
    isStreamEnding = true;
    for (const stream of open) {
      t.equal((await stream.next()).value?.payment?.description, 'last');
      t.equal((await stream.next()).done, true);
    }
    const admin = createClient(AdminService, createConnectTransport(base));
    const adminHeaders = { authorization: `Bearer ${mesh.tokens.token({ role: 'ADMIN' })}` };
    t.equal((await admin.watchAuditEvents({}, { headers: adminHeaders })[Symbol.asyncIterator]().next()).done, true);
    await until(
      async () => {
        for await (const { payment } of payments.watchPayments({}, { headers })) return payment;
        return undefined;
      },
      { what: 'a free place' },
    );
  },
);

t.test('B-shed: streams of many people leave the connections of other calls alone', async (t) => {
  isStreamEnding = false;
  const client = createClient(PaymentsService, createConnectTransport(base));
  const streamsOfEach = 2;
  const streams = await Promise.all(
    Array.from({ length: 70 }, async (_, index) => {
      const userId = userIdOf(Math.floor(index / streamsOfEach));
      const stream = client.watchPayments(
        {},
        { headers: { authorization: `Bearer ${mesh.tokens.token({ userId })}` } },
      );
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      return iterator;
    }),
  );
  t.equal(openStreams, streams.length);
  t.equal((await client.getPayment({ id: paymentId }, { headers })).payment?.id, paymentId);
  isStreamEnding = true;
  for (const stream of streams) await stream.next();
  for (const stream of streams) t.equal((await stream.next()).done, true);
});

const userIdOf = (index: number) => `01890000-0000-7000-8000-${String(index).padStart(12, '0')}`;

const internal = [AuthService, PaymentsService, AdminService]
  .flatMap((service) => service.methods)
  .filter((method) => methodPolicy(method).access?.audience === Audience.INTERNAL);

t.test('B-zero: internal methods have no route, whatever verb, spelling or protocol', async (t) => {
  t.ok(internal.length >= 7);
  const types = [
    'application/json',
    'application/proto',
    'application/connect+json',
    'application/connect+proto',
    'application/grpc-web',
    'application/grpc-web+json',
    'application/grpc',
    'text/plain',
    '',
  ];
  for (const method of internal) {
    const path = `/${method.parent.typeName}/${method.name}`;
    const spellings = [
      path,
      path.toLowerCase(),
      `${path}/`,
      `/${path}`,
      path.replace('/', '/%2e/'),
      path.replace('strong', '%73trong'),
      `/api/v1${path}`,
      path.replaceAll('.', '%2E'),
    ];
    for (const spelling of spellings) {
      for (const verb of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']) {
        const type = types[(spelling.length + verb.length) % types.length] as string;
        const body = verb === 'GET' || verb === 'HEAD' ? undefined : '{}';
        const answer = await fetch(`${gateway.url}${spelling}?connect=v1&encoding=json&message=%7B%7D`, {
          method: verb,
          ...(body === undefined ? {} : { body }),
          headers: { ...headers, ...(type === '' ? {} : { 'content-type': type }) },
        });
        await answer.arrayBuffer();
        if (answer.status !== 404) t.equal(answer.status, 404, `${verb} ${spelling} ${type}`);
      }
    }
  }
  t.notOk(
    mesh.log.some((line) => internal.some((method) => line.includes(`"${method.name}"`))),
    'none reached a service',
  );
});

t.test(
  'B-zero: the 404 of an internal method has the shape of its protocol, and looks like that of no method at all',
  async (t) => {
    const name = internal[0] as (typeof internal)[number];
    const call = async (path: string, type: string) => {
      const answer = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        body: '{}',
        headers: { ...headers, 'content-type': type },
      });
      return {
        status: answer.status,
        type: answer.headers.get('content-type'),
        grpc: answer.headers.get('grpc-status'),
        text: await answer.text(),
      };
    };
    for (const type of [
      'application/json',
      'application/proto',
      'application/connect+json',
      'application/grpc-web+proto',
      'text/plain',
    ]) {
      const real = await call(`/${name.parent.typeName}/${name.name}`, type);
      const none = await call(`/${name.parent.typeName}/NoSuchMethod`, type);
      const plain = (answer: typeof real) => ({ ...answer, text: answer.text.replace(/[0-9a-f-]{36}/g, '') });
      t.same(plain(real), plain(none), type);
      t.equal(real.status, 404);
      if (type === 'application/json' || type === 'application/connect+json') {
        t.match(JSON.parse(real.text), { code: 'unimplemented', message: 'There is no such method.' });
      }
      if (type === 'application/grpc-web+proto') t.equal(real.grpc, '12');
      if (type === 'text/plain') t.match(real.type, /problem\+json/);
    }
    for (const [transportName, transport] of transports) {
      const error = await errorOf(
        (transport.unary as never as (...parts: unknown[]) => Promise<unknown>)(name, undefined, undefined, {}, {}),
      );
      t.equal(error.code, Code.Unimplemented, transportName);
    }
  },
);

t.test('V3.5.1: no RPC can be called by what a page of another site can send unasked', async (t) => {
  const path = '/strongroom.payments.v1.PaymentsService/CreatePayment';
  const send = (init: RequestInit) =>
    fetch(`${gateway.url}${path}`, { ...init, headers: { ...headers, ...init.headers } });
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/plain;application/json',
  ]) {
    t.equal((await send({ method: 'POST', body: '{}', headers: { 'content-type': type } })).status, 415, type);
  }
  const get = await fetch(`${gateway.url}${path}?connect=v1&encoding=json&message=%7B%7D`, { headers });
  t.same([get.status, get.headers.get('allow')], [405, 'OPTIONS, POST'], 'V3.5.3: no GET for what has effects');
  t.equal((await send({ method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } })).status, 405);
  t.equal((await send({ method: 'OPTIONS' })).status, 204);
  t.equal(
    (
      await send({
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      })
    ).status,
    415,
  );
});

t.test('S6.3: a call that is too large is refused in the words of its protocol', async (t) => {
  for (const [name, transport] of transports) {
    const description = 'd'.repeat(70_000);
    const error = await errorOf(createClient(PaymentsService, transport).createPayment({ description }, { headers }));
    t.equal(error.code, Code.ResourceExhausted, name);
    t.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, 'BODY_TOO_LARGE', name);
  }
});

t.test('B-errors: a reader that goes away takes its call along', async (t) => {
  isStreamEnding = false;
  const controller = new AbortController();
  const answer = await fetch(`${gateway.url}/strongroom.payments.v1.PaymentsService/WatchPayments`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/connect+json' },
    body: Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from('{}')]),
    signal: controller.signal,
  });
  t.equal(answer.status, 200);
  t.match(
    answer.headers.get('strict-transport-security'),
    /max-age=31536000/,
    'streams carry the security headers too',
  );
  await until(() => openStreams > 0);
  controller.abort();
  await until(() => openStreams === 0);
});

t.test(
  'F33: closing ends the streams that are open, and waits neither for readers nor for silent connections',
  async (t) => {
    isStreamEnding = false;
    const other = await startGateway(mesh);
    const silent = connect(other.port, '127.0.0.1');
    await once(silent, 'connect');
    silent.on('error', () => undefined);
    const payments = createClient(PaymentsService, createConnectTransport({ ...base, baseUrl: other.url }));
    const stream = payments.watchPayments({}, { headers })[Symbol.asyncIterator]();
    await stream.next();
    const ended = errorOf(stream.next());
    await other.close();
    t.ok(await ended);
    await until(() => openStreams === 0);
  },
);
