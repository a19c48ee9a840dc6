import { type Client, Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { commonErrors, readServiceError } from '@strongroom/platform/errors';
import t from 'tap';
import { startServer } from './fixture.ts';

const transports: Record<string, (baseUrl: string) => Transport> = {
  'Connect JSON, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect binary, HTTP/1.1': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect binary, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
  'Connect GET': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useHttpGet: true }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web, HTTP/1.1': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  'gRPC-Web JSON, HTTP/2': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
};

interface Clients {
  readonly auth: Client<typeof AuthService>;
  readonly payments: Client<typeof PaymentsService>;
}

/** What a call comes to, in a form that can be compared. */
async function outcomeOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return { answer: JSON.parse(JSON.stringify(await run())) };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { error: readServiceError(error) ?? error.message };
  }
}

t.test('B-zero, S6.2: one RPC answers alike over every protocol', async (t) => {
  const handlers = {
    listPayments(_request: never, call: { responseHeader: Headers; responseTrailer: Headers }) {
      call.responseHeader.set('x-header', 'here');
      call.responseTrailer.set('x-trailer', 'there');
      return { nextPageToken: 'next' };
    },
    logout() {
      throw new TypeError('password=hunter2');
    },
    getReport() {
      throw commonErrors.OVERLOADED({ retryAfterMs: 2_500, metadata: { why: 'test' } });
    },
    *watchPayments() {
      yield { payment: { description: 'one' } };
      yield { payment: { description: 'two' } };
      throw commonErrors.CONFLICT();
    },
  };
  const server = await startServer({ handlers: handlers as never });
  t.teardown(() => server.close());
  const signedIn = {
    headers: { authorization: `Bearer ${server.tokens.token({ userId: '018f3c5e-0000-7000-8000-000000000001' })}` },
  };
  const vendor = { headers: { authorization: `Bearer ${server.tokens.token({ role: 'VENDOR' })}` } };
  const cases: Record<string, (clients: Clients) => Promise<unknown>> = {
    'an answer': ({ auth }) => auth.login({ email: ' Ann@Example.COM ', password: 'p' }),
    'a refused field': ({ auth }) => auth.login({ email: '', password: 'x'.repeat(300) }),
    'no token': ({ auth }) => auth.getMe({}),
    'a token': ({ auth }) => auth.getMe({}, signedIn),
    'a forged token': ({ auth }) => auth.getMe({}, { headers: { authorization: 'Bearer a.b.c' } }),
    'the wrong role': ({ payments }) => payments.getReport({}, signedIn),
    'an internal method': ({ auth }) => auth.findUserByEmail({ email: 'a@example.com' }),
    'a method not built yet': ({ auth }) => auth.listSessions({}, signedIn),
    'an unforeseen error': ({ auth }) => auth.logout({}, signedIn),
    'an error with a delay': ({ payments }) => payments.getReport({}, vendor),
    'headers and trailers': async ({ payments }) => {
      const seen = new Map<string, string | null>();
      const answer = await payments.listPayments(
        {},
        {
          ...signedIn,
          onHeader: (header) => void seen.set('header', header.get('x-header')),
          onTrailer: (trailer) => void seen.set('trailer', trailer.get('x-trailer')),
        },
      );
      return { answer, seen: Object.fromEntries(seen) };
    },
    'a stream that fails': async ({ payments }) => {
      const seen: string[] = [];
      try {
        for await (const { payment } of payments.watchPayments({}, signedIn)) seen.push(payment?.description ?? '');
      } catch (error) {
        t.same(seen, ['one', 'two']);
        throw error;
      }
      return undefined;
    },
    'a stream that is refused': async ({ payments }) => {
      for await (const _answer of payments.watchPayments({})) t.fail('nothing may come');
      return undefined;
    },
  };
  const expected = new Map<string, unknown>();
  for (const [protocol, createTransport] of Object.entries(transports)) {
    const transport = createTransport(server.url);
    const clients = { auth: createClient(AuthService, transport), payments: createClient(PaymentsService, transport) };
    for (const [name, run] of Object.entries(cases)) {
      const outcome = await outcomeOf(() => run(clients));
      if (!expected.has(name)) expected.set(name, outcome);
      t.same(outcome, expected.get(name), `${name} over ${protocol}`);
    }
  }
  t.match(expected.get('an answer'), { answer: { deviceToken: 'ann@example.com' } });
  t.match(expected.get('a refused field'), {
    error: { reason: 'VALIDATION_FAILED', violations: [{ field: 'email' }, { field: 'password' }] },
  });
  t.match(expected.get('no token'), { error: { reason: 'UNAUTHENTICATED', status: 401 } });
  t.match(expected.get('a token'), { answer: { user: { id: '018f3c5e-0000-7000-8000-000000000001' } } });
  t.match(expected.get('a forged token'), { error: { reason: 'TOKEN_INVALID' } });
  t.match(expected.get('the wrong role'), { error: { reason: 'FORBIDDEN' } });
  t.match(expected.get('an internal method'), { error: { reason: 'FORBIDDEN', code: Code.PermissionDenied } });
  t.match(expected.get('a method not built yet'), { error: { reason: 'NOT_YET_BUILT', code: Code.Unimplemented } });
  t.match(expected.get('an unforeseen error'), { error: { reason: 'INTERNAL' } });
  t.notMatch(JSON.stringify([...expected]), /hunter2/);
  t.match(expected.get('an error with a delay'), {
    error: { reason: 'OVERLOADED', retryAfterMs: 2_500, metadata: { why: 'test' } },
  });
  t.match(expected.get('headers and trailers'), { answer: { seen: { header: 'here', trailer: 'there' } } });
  t.match(expected.get('a stream that fails'), { error: { reason: 'CONFLICT' } });
  t.match(expected.get('a stream that is refused'), { error: { reason: 'UNAUTHENTICATED' } });
});

t.test('S6.2: every call leaves one log line, and none holds what the person sent', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const token = server.tokens.token();
  for (const [protocol, createTransport] of Object.entries(transports)) {
    server.log.entries.length = 0;
    const auth = createClient(AuthService, createTransport(server.url));
    await auth.login({ email: 'canary@example.com', password: 'canary-password' });
    await auth.getMe({}, { headers: { authorization: `Bearer ${token}` } });
    await t.rejects(auth.login({ email: 'canary@example.com'.repeat(40), password: 'canary-password' }));
    await t.rejects(auth.getMe({}, { headers: { authorization: `Bearer ${token}x` } }));
    const lines = server.log.entries.filter(({ method }) => method !== undefined);
    t.same(
      lines.map(({ method, code, reason }) => [String(method).split('/')[1], code, reason]),
      [
        ['Login', 'ok', undefined],
        ['GetMe', 'ok', undefined],
        ['Login', 'invalid_argument', 'VALIDATION_FAILED'],
        ['GetMe', 'unauthenticated', 'TOKEN_INVALID'],
      ],
      protocol,
    );
    t.notMatch(JSON.stringify(server.log.entries), /canary|eyJ/, protocol);
  }
});
