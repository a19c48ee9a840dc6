import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type CallOptions, createClient } from '@connectrpc/connect';
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import type { Call } from '@strongroom/platform/rpc';
import { currentRequest } from '@strongroom/platform/telemetry';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { paths, startServer } from './fixture.ts';

const transportsOf = (baseUrl: string) => ({
  fast: createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  'fast over HTTP/2': createConnectTransport({ baseUrl, httpVersion: '2' }),
  gRPC: createGrpcTransport({ baseUrl }),
  'gRPC-Web': createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
});
const login = { email: 'a@example.com', password: 'p' };

/** A use case that only ends when its call does. */
function createEndlessUseCase() {
  const calls: Call[] = [];
  const ended: unknown[] = [];
  const handler = (_request: never, call: Call) =>
    new Promise((_resolve, reject) => {
      calls.push(call);
      call.signal.addEventListener('abort', () => {
        ended.push(readServiceError(call.signal.reason)?.reason);
        reject(call.signal.reason);
      });
    });
  return { calls, ended, handler };
}

t.test(
  'S5.2: the deadline is the caller’s or the contract’s, whichever is first, and reaches the use case',
  async (t) => {
    const remaining: number[] = [];
    const server = await startServer({
      handlers: {
        login(_request, call) {
          remaining.push(call.deadline.remainingMs());
          t.equal(currentRequest()?.deadline, call.deadline, 'for SQL too');
          return {};
        },
      },
    });
    t.teardown(() => server.close());
    for (const [name, transport] of Object.entries(transportsOf(server.url))) {
      const auth = createClient(AuthService, transport);
      for (const [timeoutMs, most] of [
        [undefined, 5_000],
        [1_500, 1_500],
        [60_000, 5_000],
      ] as const) {
        await auth.login(login, { timeoutMs });
        const left = remaining.at(-1) ?? 0;
        t.ok(left > 0 && left <= most, `${name}: ${left} of ${most}`);
      }
    }
  },
);

t.test('S5.2: when the deadline is over the caller is told and the use case is ended', async (t) => {
  const endless = createEndlessUseCase();
  const server = await startServer({ handlers: { login: endless.handler } });
  t.teardown(() => server.close());
  // The header alone, so that it is the server that gives up and not the client.
  for (const [name, header] of [
    ['connect-timeout-ms', '30'],
    ['grpc-timeout', '30m'],
  ] as const) {
    const transport = name === 'grpc-timeout' ? transportsOf(server.url).gRPC : transportsOf(server.url).fast;
    const options: CallOptions = { headers: { [name]: header } };
    const error = await createClient(AuthService, transport).login(login, options).catch(readServiceError);
    t.match(error, { reason: 'DEADLINE_EXCEEDED', status: 504 }, name);
  }
  t.same(endless.ended, ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
});

t.test('F13: a caller that goes away ends the use case', async (t) => {
  const endless = createEndlessUseCase();
  const server = await startServer({ handlers: { login: endless.handler } });
  t.teardown(() => server.close());
  for (const [name, transport] of Object.entries(transportsOf(server.url))) {
    const before = endless.calls.length;
    const controller = new AbortController();
    const answer = createClient(AuthService, transport).login(login, { signal: controller.signal });
    await until(() => endless.calls.length > before, { what: `the call over ${name}` });
    controller.abort();
    await t.rejects(answer);
    await until(() => endless.ended.length > before, { what: `the end over ${name}` });
    t.equal(endless.ended.at(-1), 'CANCELED', name);
  }
});

t.test('F13: a watcher that goes away ends its stream', async (t) => {
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
  const headers = { authorization: `Bearer ${server.tokens.token()}` };
  for (const [name, transport] of Object.entries(transportsOf(server.url))) {
    isEnded = false;
    let count = 0;
    const controller = new AbortController();
    const watched = createClient(PaymentsService, transport).watchPayments({}, { headers, signal: controller.signal });
    await t.rejects(async () => {
      for await (const _answer of watched) {
        count += 1;
        if (count === 3) controller.abort();
      }
    });
    await until(() => isEnded, { what: `the end of the stream over ${name}` });
  }
});

t.test('S6.3: each method has its own limit, over every protocol', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const headers = { authorization: `Bearer ${server.tokens.token()}` };
  for (const [name, transport] of Object.entries(transportsOf(server.url))) {
    const tooLarge = await createClient(AuthService, transport)
      .login({ email: 'a'.repeat(70_000), password: 'p' })
      .catch(readServiceError);
    t.match(tooLarge, { reason: 'BODY_TOO_LARGE', status: 413 }, name);
    const profile = createClient(ProfileService, transport);
    const image = { headers };
    const large = await profile.uploadAvatar({ content: new Uint8Array(1_500_000) } as never, image).then(
      () => 'answered',
      (error: unknown) => readServiceError(error)?.reason,
    );
    t.not(large, 'BODY_TOO_LARGE', name);
    const larger = await profile
      .uploadAvatar({ content: new Uint8Array(3_200_000) } as never, image)
      .catch(readServiceError);
    t.match(larger, { reason: 'BODY_TOO_LARGE' }, name);
  }
});

t.test('S6.3: a body that lies about its size, never ends, or unpacks to far more is cut off', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const head = (lines: string[]) =>
    [`POST ${paths.login} HTTP/1.1`, 'host: a', 'content-type: application/json', ...lines, '', ''].join('\r\n');
  const attempt = async (text: string, more?: Buffer) => {
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.write(text);
    if (more !== undefined) socket.write(more);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    return answer.toString();
  };
  t.match(await attempt(head(['content-length: 10000000'])), /429[\s\S]*BODY_TOO_LARGE/i);
  const chunk = Buffer.from(`11000\r\n${'a'.repeat(0x11000)}\r\n`);
  t.match(await attempt(head(['transfer-encoding: chunked']), chunk), /429[\s\S]*BODY_TOO_LARGE/);
  t.match(
    await attempt(head(['connect-timeout-ms: 50', 'content-length: 100']), Buffer.from('{')),
    /504[\s\S]*DEADLINE_EXCEEDED/,
  );
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  const answer = await fetch(server.url + paths.login, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: bomb,
  });
  t.match(await answer.text(), /BODY_TOO_LARGE/);
});

t.test('S6.3: what unpacks to far more than its method takes is cut off, by every protocol', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const packed = { baseUrl: server.url, sendCompression: compressionGzip, compressMinBytes: 0 };
  const transports = {
    Connect: createConnectTransport({ ...packed, httpVersion: '1.1' }),
    'Connect over HTTP/2': createConnectTransport({ ...packed, httpVersion: '2' }),
    gRPC: createGrpcTransport(packed),
    'gRPC-Web': createGrpcWebTransport({ ...packed, httpVersion: '1.1' }),
  };
  const bomb = { email: 'a'.repeat(20_000_000), password: 'p' };
  for (const [name, transport] of Object.entries(transports)) {
    const auth = createClient(AuthService, transport);
    t.match(await auth.login(bomb).catch(readServiceError), { reason: 'BODY_TOO_LARGE' }, name);
    const honest = await auth.login({ ...login, email: 'nobody@example.com' }).catch(readServiceError);
    t.not(readServiceError(honest)?.reason, 'BODY_TOO_LARGE', `${name}: packed, and small`);
  }
  t.equal(server.seen.filter(({ request }) => JSON.stringify(request).length > 100_000).length, 0);
});

t.test('B-shed: over its limit a service sheds reports first and money last', async (t) => {
  const { createConcurrencyLimit } = await import('@strongroom/platform/resilience');
  const concurrencyLimit = createConcurrencyLimit({ name: 'test', initial: 4, min: 4, max: 4 });
  const endless = createEndlessUseCase();
  const server = await startServer({ concurrencyLimit, handlers: { getMe: endless.handler } });
  t.teardown(() => server.close());
  const transport = transportsOf(server.url)['fast over HTTP/2'];
  const headers = { authorization: `Bearer ${server.tokens.token({ role: 'ADMIN' })}`, 'idempotency-key': 'k' };
  const [auth, payments] = [createClient(AuthService, transport), createClient(PaymentsService, transport)];
  const controller = new AbortController();
  const running: Promise<unknown>[] = [];
  for (let count = 1; count <= 3; count++) {
    running.push(auth.getMe({}, { headers, signal: controller.signal }).catch(() => undefined));
    await until(() => endless.calls.length === count);
  }
  const reasonOf = (call: Promise<unknown>) =>
    call.then(
      () => 'answered',
      (error: unknown) => readServiceError(error)?.reason,
    );
  t.equal(await reasonOf(payments.getReport({}, { headers })), 'OVERLOADED');
  t.equal(await reasonOf(payments.listPayments({}, { headers })), 'OVERLOADED');
  t.not(await reasonOf(auth.login(login)), 'OVERLOADED', 'what waits for the hash of a password has places of its own');
  t.not(await reasonOf(payments.createPayment({}, { headers })), 'OVERLOADED');
  controller.abort();
  await Promise.all(running);
  await until(() => concurrencyLimit.inFlight() === 0);
  t.equal(await reasonOf(payments.getReport({}, { headers })), 'answered', 'it comes back by itself');
});

t.test('B-shed: streams that are open take no place from calls', async (t) => {
  const { createConcurrencyLimit } = await import('@strongroom/platform/resilience');
  const concurrencyLimit = createConcurrencyLimit({ name: 'test', initial: 4, min: 4, max: 4 });
  const server = await startServer({
    concurrencyLimit,
    handlers: {
      async *watchPayments(_request: never, call: Call) {
        yield {};
        await once(call.signal, 'abort');
      },
    } as never,
  });
  t.teardown(() => server.close());
  const payments = createClient(PaymentsService, transportsOf(server.url)['fast over HTTP/2']);
  const controller = new AbortController();
  const options = { headers: { authorization: `Bearer ${server.tokens.token({ role: 'ADMIN' })}` } };
  for (let count = 0; count < 8; count++) {
    const stream = payments.watchPayments({}, { ...options, signal: controller.signal })[Symbol.asyncIterator]();
    await stream.next();
    stream.next().catch(() => undefined);
  }
  t.equal(concurrencyLimit.inFlight(), 0);
  await t.resolves(payments.getReport({}, options), 'not even a report is shed');
  controller.abort();
});

t.test('S5.2: a call that has ended leaves no timer behind, whatever its implementation is made of', async (t) => {
  const routes = [{ service: AuthService, implementation: { login: async () => ({ deviceToken: 'plain' }) } }];
  const server = await startServer({ routes: routes as never });
  t.teardown(() => server.close());
  const call = () =>
    fetch(`${server.url}${paths.login}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(login),
    }).then((response) => response.json());
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  t.match(await call(), { deviceToken: 'plain' });
  const before = timers();
  for (let count = 0; count < 30; count++) await call();
  t.ok(timers() <= before + 2, `${timers()} timers, ${before} before`);
});
