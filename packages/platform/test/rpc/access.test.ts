import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { createRateLimiter } from '@strongroom/platform/limits';
import {
  asService,
  createServiceClient,
  forward,
  type RefusalAudit,
  type ServiceClient,
} from '@strongroom/platform/rpc';
import t from 'tap';
import { createTestIdentities, startServer, type TestServer } from './fixture.ts';

const reasonOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: unknown) => readServiceError(error)?.reason ?? String(error),
  );

function clientsOf({ url }: TestServer) {
  const fast = createConnectTransport({ baseUrl: url, httpVersion: '1.1' });
  const stock = createGrpcTransport({ baseUrl: url });
  return [fast, stock].map((transport) => ({
    auth: createClient(AuthService, transport),
    payments: createClient(PaymentsService, transport),
  }));
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

t.test('B-zero: audience and roles are the contract’s, in the service itself', async (t) => {
  const refusals: string[] = [];
  const refusalAudit: RefusalAudit = {
    record(call, { reason, subjectId }) {
      refusals.push(`${call.method.name} ${reason} ${call.principal?.userId ?? '-'} ${subjectId ?? '-'}`);
    },
    close: () => Promise.resolve(),
  };
  const server = await startServer({ refusalAudit });
  t.teardown(() => server.close());
  const userId = '018f3c5e-0000-7000-8000-000000000001';
  const customer = bearer(server.tokens.token({ userId }));
  const admin = bearer(server.tokens.token({ role: 'ADMIN' }));
  const minuteAgoS = Math.floor(Date.now() / 1_000) - 60;
  const expired = bearer(server.tokens.token({ userId, claims: { iat: minuteAgoS - 900, exp: minuteAgoS } }));
  for (const { auth, payments } of clientsOf(server)) {
    refusals.length = 0;
    t.equal(await reasonOf(auth.login({ email: 'a@example.com', password: 'p' })), 'answered');
    t.equal(
      await reasonOf(auth.login({ email: 'a@example.com', password: 'p' }, bearer('expired.or.forged'))),
      'answered',
    );
    t.equal(await reasonOf(auth.getMe({})), 'UNAUTHENTICATED');
    t.equal(await reasonOf(auth.getMe({}, { headers: { authorization: 'Basic YTpi' } })), 'TOKEN_INVALID');
    t.equal(await reasonOf(auth.getMe({}, customer)), 'answered');
    t.equal(await reasonOf(payments.getReport({}, customer)), 'FORBIDDEN');
    t.equal(await reasonOf(payments.getReport({}, admin)), 'answered');
    t.equal(await reasonOf(auth.getSecretsStatus({}, customer)), 'FORBIDDEN');
    t.equal(await reasonOf(auth.findUserByEmail({ email: 'a@example.com' })), 'FORBIDDEN');
    t.equal(await reasonOf(auth.findUserByEmail({ email: 'a@example.com' }, admin)), 'FORBIDDEN');
    t.equal(await reasonOf(auth.getMe({}, expired)), 'TOKEN_EXPIRED');
    t.same(
      refusals,
      [
        'GetMe UNAUTHENTICATED - -',
        'GetMe TOKEN_INVALID - -',
        `GetReport FORBIDDEN ${userId} -`,
        `GetSecretsStatus FORBIDDEN ${userId} -`,
        'FindUserByEmail FORBIDDEN - -',
        refusals[5],
        `GetMe TOKEN_EXPIRED - ${userId}`,
      ],
      'S7.3: each is handed to the record, with the person where one is known',
    );
  }
});

t.test('S7.3: a refusal that can’t be recorded is still a refusal', async (t) => {
  const server = await startServer({
    refusalAudit: { record: () => Promise.reject(new Error('outbox is down')), close: () => Promise.resolve() },
  });
  t.teardown(() => server.close());
  for (const { payments } of clientsOf(server)) {
    t.equal(await reasonOf(payments.getReport({}, bearer(server.tokens.token()))), 'FORBIDDEN');
  }
  t.equal(server.log.entries.filter(({ msg }) => msg === 'a refusal could not be recorded').length, 2);
});

t.test('S7.1: assurance, and what is missing is told', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const admin = (authenticationAgeS: number, claims = {}) =>
    bearer(server.tokens.token({ role: 'ADMIN', authenticationAgeS, claims }));
  for (const { auth } of clientsOf(server)) {
    t.equal(await reasonOf(auth.getSecretsStatus({}, admin(0))), 'answered', 'nobody can use a factor that he has not');
    t.equal(await reasonOf(auth.getSecretsStatus({}, admin(0, { mfe: true }))), 'STEP_UP_REQUIRED');
    t.equal(await reasonOf(auth.getSecretsStatus({}, admin(0, { mfe: true, amr: ['pwd', 'otp', 'mfa'] }))), 'answered');
    t.equal(await reasonOf(auth.getSecretsStatus({}, admin(1_000))), 'STEP_UP_REQUIRED');
    t.equal(await reasonOf(auth.getSecretsStatus({}, admin(-600))), 'STEP_UP_REQUIRED', 'nor from the future');
    const error = await auth.getSecretsStatus({}, admin(1_000)).catch(readServiceError);
    t.match(error, { status: 403, metadata: { required: 'recent-authentication', maxAuthenticationAgeS: '900' } });
  }
});

t.test('S7.1: while the password must be changed, nothing else works', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const restricted = bearer(server.tokens.token({ claims: { pcr: true } }));
  for (const { auth, payments } of clientsOf(server)) {
    t.equal(await reasonOf(payments.listPayments({}, restricted)), 'PASSWORD_CHANGE_REQUIRED');
    t.equal(await reasonOf(auth.getMe({}, restricted)), 'answered');
    t.equal(
      await reasonOf(auth.changePassword({ currentPassword: 'old', newPassword: 'Long-enough-1!' }, restricted)),
      'answered',
    );
  }
});

t.test('B-zero: a service is who its certificate says, and may call what the contract lets it', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway', 'payments', 'profile');
  const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'off' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const call = {
    requestId: 'request-0001',
    ipAddress: '203.0.113.7',
    userAgent: 'Browser/1.0',
    deviceId: 'device-1',
    accessToken: server.tokens.token(),
  };
  const outcomes: Record<string, string> = {};
  for (const name of ['gateway', 'payments', 'profile']) {
    const client = createServiceClient(AuthService, {
      name: 'auth',
      url: server.secureUrl,
      identity: await tls.identity(name),
    });
    outcomes[name] = await reasonOf(client.findUserByEmail({ email: 'a@example.com' }, asService(call)));
    t.equal(await reasonOf(client.getMe({}, forward(call))), 'answered');
    t.equal(await reasonOf(client.getMe({}, asService(call))), 'UNAUTHENTICATED', 'the person’s token stays behind');
    await client.close();
  }
  t.same(outcomes, { gateway: 'FORBIDDEN', payments: 'answered', profile: 'FORBIDDEN' });
  const seen = server.seen.find(({ method }) => method === 'getMe')?.call;
  t.match(seen, {
    caller: 'gateway',
    requestId: 'request-0001',
    ipAddress: '203.0.113.7',
    userAgent: 'Browser/1.0',
    deviceId: 'device-1',
  });
});

t.test(
  'B-zero: a service is believed about a person only where it acts for one, or the contract opens the method to it',
  async (t) => {
    const tls = await createTestIdentities('auth', 'gateway', 'payments', 'profile');
    const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'off' } });
    t.teardown(async () => {
      await server.close();
      await tls.close();
    });
    const facts = {
      requestId: 'request-0001',
      ipAddress: '203.0.113.7',
      userAgent: 'Browser/1.0',
      deviceId: 'device-1',
    };
    const person = { ...facts, accessToken: server.tokens.token() };
    const told = async (name: string, call: (auth: ServiceClient<typeof AuthService>) => Promise<unknown>) => {
      const identity = await tls.identity(name);
      const client = createServiceClient(AuthService, { name: 'auth', url: server.secureUrl, identity });
      await call(client);
      await client.close();
      const seen = server.seen.at(-1)?.call;
      t.equal(seen?.requestId, 'request-0001', 'the request’s id is only a name');
      return [seen?.ipAddress, seen?.userAgent, seen?.deviceId].join(' ');
    };
    const whole = '203.0.113.7 Browser/1.0 device-1';
    const login = { email: 'a@example.com', password: 'p' };
    t.equal(await told('gateway', (auth) => auth.login(login, asService(facts))), whole);
    t.equal(await told('payments', (auth) => auth.getMe({}, forward(person))), whole);
    t.equal(
      await told('payments', (auth) => auth.findUserByEmail({ email: 'a@example.com' }, asService(facts))),
      whole,
    );
    for (const options of [asService(facts), forward(person)]) {
      t.notMatch(await told('payments', (auth) => auth.login(login, options)), /203|Browser|device/, 'a public method');
    }
  },
);

t.test('S1.1c: nobody but a service is believed about who he is', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const headers = {
    'x-strongroom-client-ip': '203.0.113.7',
    'x-strongroom-client-agent': 'Forged/1.0',
    'x-strongroom-device-id': 'device-1',
    'x-strongroom-request-id': 'request-0001',
    'x-forwarded-for': '203.0.113.8',
    'user-agent': 'Honest/1.0',
  };
  for (const { auth } of clientsOf(server)) {
    await auth.login({ email: 'a@example.com', password: 'p' }, { headers });
    const call = server.seen.at(-1)?.call;
    t.equal(call?.ipAddress, '127.0.0.1');
    t.equal(call?.deviceId, '');
    t.equal(call?.caller, undefined);
    t.not(call?.requestId, 'request-0001');
    t.notMatch(call?.userAgent, /Forged/);
  }
});

t.test('B-dpop: a bound token is taken where the edge has seen its own key proven, and nowhere else', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'loopback' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const own = 'A'.repeat(43);
  const token = server.tokens.token({ claims: { cnf: { jkt: own } } });
  const proven = { headers: { ...bearer(token).headers, 'x-strongroom-proven-key': own } };
  for (const { auth } of clientsOf(server)) {
    t.equal(await reasonOf(auth.getMe({}, proven)), 'DPOP_PROOF_INVALID', 'nobody but a service is believed');
  }
  const gateway = createServiceClient(AuthService, {
    name: 'auth',
    url: server.secureUrl,
    identity: await tls.identity('gateway'),
  });
  const outcomes: Record<string, string> = {};
  for (const provenKey of [undefined, 'B'.repeat(43), own]) {
    const call = forward({ requestId: 'request-0001', accessToken: token, provenKey });
    outcomes[String(provenKey)] = await reasonOf(gateway.getMe({}, call));
  }
  t.same(Object.values(outcomes), ['DPOP_PROOF_INVALID', 'DPOP_PROOF_INVALID', 'answered']);
  const unbound = { authorization: `DPoP ${server.tokens.token()}` };
  t.equal(await reasonOf(gateway.getMe({}, { headers: unbound })), 'DPOP_PROOF_INVALID', 'a proof of nothing');
  await gateway.close();
});

t.test('S1.1b: a service limits direct callers, over all protocols together, and no service', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  const server = await startServer({
    identity: await tls.identity('auth'),
    rateLimiter: createRateLimiter(),
    config: { DIRECT_ACCESS: 'loopback', RATE_LIMIT_SERVICE_MAX: 6, RATE_LIMIT_WINDOW_S: 3_600 },
  });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const login = { email: 'a@example.com', password: 'p' };
  const outcomes: string[] = [];
  for (let round = 0; round < 4; round++) {
    for (const { auth } of clientsOf(server)) outcomes.push(await reasonOf(auth.login(login)));
  }
  t.same(outcomes, [...Array(6).fill('answered'), 'RATE_LIMITED', 'RATE_LIMITED']);
  const error = await clientsOf(server)[0]?.auth.login(login).catch(readServiceError);
  t.match(error, { status: 429, retry: 'after', metadata: { limit: '6', remaining: '0' } });
  t.ok(Number((error as { retryAfterMs?: number }).retryAfterMs) > 0);
  const gateway = createServiceClient(AuthService, {
    name: 'auth',
    url: server.secureUrl,
    identity: await tls.identity('gateway'),
  });
  for (let round = 0; round < 10; round++) t.equal(await reasonOf(gateway.login(login)), 'answered');
  await gateway.close();
  t.equal((await fetch(`${server.url}/livez`)).status, 200, 'health is never limited');
});

t.test('S7.3: a sensitive read that can’t be recorded is not answered', async (t) => {
  const { AdminService } = await import('@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts');
  const method = AdminService.methods.find(({ name }) => name === 'ListUsers');
  t.ok(method);
  const records: string[] = [];
  let isDown = false;
  const server = await startServer({
    routes: [{ service: AdminService, implementation: { getUser: async () => ({}) } }] as never,
    auditSensitiveRead(call) {
      if (isDown) throw new Error('outbox is down');
      records.push(call.method.name);
    },
  });
  t.teardown(() => server.close());
  const admin = createClient(AdminService, createConnectTransport({ baseUrl: server.url, httpVersion: '1.1' }));
  const options = bearer(server.tokens.token({ role: 'ADMIN' }));
  const request = { id: '018f3c5e-0000-7000-8000-000000000001', userId: '018f3c5e-0000-7000-8000-000000000001' };
  t.equal(await reasonOf(admin.getUser(request, options)), 'answered');
  t.same(records, ['GetUser']);
  isDown = true;
  t.equal(await reasonOf(admin.getUser(request, options)), 'INTERNAL');
});
