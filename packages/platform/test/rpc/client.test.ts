import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Code, ConnectError } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { commonErrors, isServiceError, readServiceError } from '@strongroom/platform/errors';
import { asService, type Call, createServiceClient, forward } from '@strongroom/platform/rpc';
import { createMetrics } from '@strongroom/platform/telemetry';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { startServer } from './fixture.ts';

const payment = {
  type: PaymentType.INSTANT,
  amount: { currencyCode: 'EUR', minorUnits: 700n },
  recipientEmail: 'bob@example.com',
  description: 'Dinner',
};
const login = { email: 'a@example.com', password: 'p' };
const requestId = 'request-0001';

/** A peer that speaks HTTP and answers whatever it is told to. */
async function startPeer(
  t: { teardown(fn: () => unknown): void },
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
) {
  const seen: { path: string; timeoutMs: number }[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', timeoutMs: Number(request.headers['connect-timeout-ms']) });
    request.resume();
    request.once('end', () => answer(request, response, seen.length));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf(t: { teardown(fn: () => unknown): void }, url: string) {
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  const client = createServiceClient(AuthService, { name: 'auth', url, metrics });
  t.teardown(() => client.close());
  return { client, metrics };
}

const unavailable = (response: ServerResponse) =>
  response.writeHead(503, { 'content-type': 'application/json' }).end('{"code":"unavailable"}');

t.test('B-fast: the client’s answers, errors, headers and trailers', async (t) => {
  const server = await startServer({
    handlers: {
      login(request: { email: string }, call: Call) {
        call.responseHeader.set('idempotency-replayed', 'true');
        call.responseTrailer.set('x-later', 'yes');
        if (request.email !== login.email) throw commonErrors.CONFLICT({ retryAfterMs: 7, metadata: { which: 'one' } });
        return { deviceToken: 'd'.repeat(5_000) };
      },
    } as never,
  });
  t.teardown(() => server.close());
  for (const acceptGzip of [false, true]) {
    const client = createServiceClient(AuthService, { name: 'auth', url: server.url, acceptGzip });
    t.teardown(() => client.close());
    const got = new Map<string, string | null>();
    const answer = await client.login(login, {
      onHeader: (header) => void got.set('header', header.get('idempotency-replayed')),
      onTrailer: (trailer) => void got.set('trailer', trailer.get('x-later')),
    });
    t.equal(answer.deviceToken.length, 5_000);
    t.same(
      [...got],
      [
        ['header', 'true'],
        ['trailer', 'yes'],
      ],
    );
    const error = await client.login({ ...login, email: 'b@example.com' }).catch((cause: unknown) => cause);
    t.match(readServiceError(error), { reason: 'CONFLICT', retryAfterMs: 7, metadata: { which: 'one' } });
    t.ok(isServiceError(error, 'CONFLICT'));
    t.equal((error as ConnectError).metadata.get('idempotency-replayed'), 'true');
    t.equal((error as ConnectError).metadata.get('x-later'), 'yes');
  }
});

t.test('B-fast: a stream ends with its reader', async (t) => {
  let isEnded = false;
  const server = await startServer({
    handlers: {
      *watchPayments() {
        try {
          for (;;) yield {};
        } finally {
          isEnded = true;
        }
      },
    } as never,
  });
  t.teardown(() => server.close());
  const client = createServiceClient(PaymentsService, { name: 'payments', url: server.url });
  t.teardown(() => client.close());
  let count = 0;
  for await (const _answer of client.watchPayments({}, forward({ requestId, accessToken: server.tokens.token() }))) {
    count += 1;
    if (count === 3) break;
  }
  await until(() => isEnded);
  t.equal(count, 3);
});

t.test('S5.2: the deadline left is what the next service gets', async (t) => {
  const left: number[] = [];
  const backend = await startServer({
    handlers: {
      login(_request: never, call: Call) {
        left.push(call.deadline.remainingMs());
        return {};
      },
    } as never,
  });
  const { client } = clientOf(t, backend.url);
  const front = await startServer({
    handlers: {
      async login(_request: never, call: Call) {
        await client.login(login, forward(call));
        await client.login(login, asService());
        return {};
      },
    } as never,
  });
  t.teardown(() => Promise.all([front.close(), backend.close()]));
  const outer = clientOf(t, front.url).client;
  await outer.login(login, { timeoutMs: 700 });
  const [forwarded = 0, own = 0] = left;
  t.ok(forwarded > 0 && forwarded <= 700, `${forwarded} of 700`);
  t.ok(own > 700 && own <= 5_000, `${own} of 5000`);
});

t.test('S5.2: a call that is over or abandoned ends at once, and so does its request', async (t) => {
  const start = async () => {
    const closed = Promise.withResolvers<void>();
    const peer = await startPeer(t, (_request, response) => void response.once('close', closed.resolve));
    const { client } = clientOf(t, peer.url);
    return { ...peer, client, closed: closed.promise, reached: () => until(() => peer.seen.length === 1) };
  };
  const late = await start();
  const answer = late.client.login(login, { timeoutMs: 300 }).catch(readServiceError);
  t.match(await answer, { reason: 'DEADLINE_EXCEEDED' });

  const left = await start();
  const controller = new AbortController();
  const abandoned = left.client.login(login, { signal: controller.signal }).catch(readServiceError);
  await left.reached();
  controller.abort();
  t.match(await abandoned, { reason: 'CANCELED' });
  await left.closed;

  const behind = await start();
  const listeners = new Set<(reason: ConnectError) => void>();
  const call = {
    requestId,
    onAbort(listener: (reason: ConnectError) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const forwarded = behind.client.login(login, forward(call)).catch(readServiceError);
  await behind.reached();
  for (const listener of listeners) listener(new ConnectError('gone', Code.Canceled));
  t.match(await forwarded, { reason: 'CANCELED' });
  t.equal(listeners.size, 0, 'nothing is left listening');
  await behind.closed;

  const never = await start();
  const aborted = { signal: AbortSignal.abort() };
  t.match(await never.client.login(login, aborted).catch(readServiceError), { reason: 'CANCELED' });
  t.equal(never.seen.length, 0);
});

t.test('S5.2: only what the contract calls idempotent is sent again', async (t) => {
  const { url, seen } = await startPeer(t, (_request, response, count) => {
    if (count < 3) unavailable(response);
    else response.writeHead(200, { 'content-type': 'application/proto' }).end();
  });
  const { client, metrics } = clientOf(t, url);
  await client.getMe({}); // no side effects
  t.equal(seen.length, 3);
  t.equal(await metrics.value('rpc_client_retries_total', { target: 'auth' }), 2);
  t.ok((seen[2]?.timeoutMs ?? 0) < (seen[0]?.timeoutMs ?? 0), 'each attempt gets what is left');
  const other = await startPeer(t, (_request, response) => void unavailable(response));
  await t.rejects(clientOf(t, other.url).client.login(login));
  t.equal(other.seen.length, 1, 'a sign-in is sent once');
});

t.test('S5.2: what is not going to work is not tried again', async (t) => {
  for (const [status, body] of [
    [400, { code: 'invalid_argument' }],
    [500, { code: 'internal' }],
    [504, { code: 'deadline_exceeded' }],
    [429, { code: 'resource_exhausted' }],
  ] as const) {
    const { url, seen } = await startPeer(t, (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await t.rejects(clientOf(t, url).client.getMe({}));
    t.equal(seen.length, 1, body.code);
  }
});

t.test('S5.2: a service that says when to come back is not asked sooner, nor beyond the deadline', async (t) => {
  const server = await startServer({
    handlers: {
      getMe() {
        throw commonErrors.OVERLOADED({ retryAfterMs: 60_000 });
      },
    },
  });
  t.teardown(() => server.close());
  const { client } = clientOf(t, server.url);
  const error = await client
    .getMe({}, forward({ requestId, accessToken: server.tokens.token() }))
    .catch(readServiceError);
  t.match(error, { reason: 'OVERLOADED', retryAfterMs: 60_000 });
  t.equal(server.seen.length, 1);
});

t.test(
  'S5.2: a backend that fails altogether sees at most 1.1 times the traffic, also behind another service',
  async (t) => {
    const backend = await startServer({
      handlers: {
        getMe() {
          throw commonErrors.UNAVAILABLE();
        },
      },
    });
    const { client, metrics } = clientOf(t, backend.url);
    const front = await startServer({
      authenticator: backend.tokens.authenticator,
      handlers: { getMe: (_request: never, call: Call) => client.getMe({}, forward(call)) },
    });
    t.teardown(() => Promise.all([front.close(), backend.close()]));
    const options = forward({ requestId, accessToken: backend.tokens.token() });
    const calls = 1_200;
    const edge = clientOf(t, front.url).client;
    for (let count = 0; count < calls; count += 40) {
      await Promise.all(Array.from({ length: 40 }, () => t.rejects(edge.getMe({}, options))));
    }
    t.ok(backend.seen.length <= calls * 1.1, `${backend.seen.length} of ${calls}`);
    t.ok(backend.seen.length > calls, 'some were tried again');
    t.ok((await metrics.value('rpc_client_retry_budget_exhausted_total')) > 0);
  },
);

t.test('B-shed: in front of a service that is busy money goes first, and reports go home first', async (t) => {
  const releases: (() => void)[] = [];
  const order: string[] = [];
  const answer = (name: string) => async () => {
    order.push(name);
    await new Promise<void>((resolve) => void releases.push(resolve));
    return {};
  };
  const server = await startServer({
    handlers: { createPayment: answer('payment'), listPayments: answer('list'), getReport: answer('report') },
  });
  t.teardown(() => server.close());
  const payments = createServiceClient(PaymentsService, { name: 'payments', url: server.url, connectionsMax: 1 });
  t.teardown(() => payments.close());
  const accessToken = server.tokens.token({ role: 'ADMIN' });
  const by = () => forward({ requestId, accessToken, idempotencyKey: 'key-1' });
  const reasonOf = (call: Promise<unknown>) =>
    call.then(
      () => 'answered',
      (error) => readServiceError(error)?.reason,
    );
  const first = reasonOf(payments.listPayments({}, by()));
  await until(() => order.length === 1);
  const waiting = {
    report: reasonOf(payments.getReport({}, by())),
    list: reasonOf(payments.listPayments({}, by())),
    payment: reasonOf(payments.createPayment(payment, by())),
  };
  for (let count = 1; count <= 3; count++) {
    releases.pop()?.();
    await until(() => order.length === count + 1);
  }
  t.same(order, ['list', 'payment', 'list', 'report']);
  // The report keeps the only connection now: what can't wait any longer is told to come back, and was never sent.
  t.equal(await reasonOf(payments.listPayments({}, by())), 'OVERLOADED');
  t.equal(order.length, 4);
  releases.pop()?.();
  t.same(await Promise.all([first, ...Object.values(waiting)]), Array(4).fill('answered'));
});

t.test('S5.1: a service that is gone opens the breaker; one that only refuses does not', async (t) => {
  const peer = await startPeer(t, (request) => void request.socket.destroy());
  const { client, metrics } = clientOf(t, peer.url);
  for (let count = 0; count < 12; count++) await t.rejects(client.login(login));
  const before = peer.seen.length;
  const error = await client.login(login).catch(readServiceError);
  t.match(error, { reason: 'UNAVAILABLE', retry: 'after', metadata: { cause: 'breaker' } });
  t.equal(peer.seen.length, before, 'nothing was sent');
  t.equal(await metrics.value('circuit_breaker_state', { name: 'service.auth' }), 2);

  const server = await startServer();
  t.teardown(() => server.close());
  const other = clientOf(t, server.url);
  for (let count = 0; count < 40; count++) await t.rejects(other.client.getMe({}));
  t.equal(await other.metrics.value('circuit_breaker_state', { name: 'service.auth' }), 0);
});

t.test('S6.2: answers that are none of ours become errors of the catalogue’s codes', async (t) => {
  const cases: [number, string, string, Code][] = [
    [200, 'text/html', '<html>', Code.Unknown],
    [200, 'application/json', '{}', Code.Unknown],
    [404, 'text/plain', 'nope', Code.Unimplemented],
    [502, 'text/html', '<html>', Code.Unavailable],
    [503, 'application/json', 'not json', Code.Unavailable],
    [200, 'application/proto', '\u0008', Code.Internal],
  ];
  for (const [status, type, body, code] of cases) {
    const { url } = await startPeer(
      t,
      (_request, response) => void response.writeHead(status, { 'content-type': type }).end(body),
    );
    const error = await clientOf(t, url)
      .client.login(login)
      .catch((cause: unknown) => cause);
    t.equal((error as ConnectError).code, code, `${status} ${type}`);
  }
  const nobody = clientOf(t, 'http://127.0.0.1:9');
  t.match(await nobody.client.login(login).catch(readServiceError), { reason: 'UNAVAILABLE' });
});
