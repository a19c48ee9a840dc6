// One system for the whole file: it takes seconds to start, and these tests don't disturb each other.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { runJourney } from '../../scripts/journey/journey.ts';
import { checkHeaders, checkListeners, checkStores } from './exposure.ts';
import { startTestSystem } from './system-fixture.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const fileTimeoutMs = 180_000;
t.setTimeout(fileTimeoutMs);

const system = await startTestSystem(t.teardown);
const admin = await system.administrator();

t.test('B-outbox: one payment travels from REST into the audit log, and its proof verifies offline', async (t) => {
  const lines: string[] = [];
  t.ok(await runJourney(system, (line) => lines.push(line)), lines.join('\n'));
});

t.test('S6.1: no process listens but where it is documented, and on loopback', (t) => checkListeners(t, system));

t.test('S6.1: every listener of every process answers with helmet’s headers and its own policy', (t) =>
  checkHeaders(t, system),
);

t.test('ASVS V13.2.1: Redis, NATS and PostgreSQL let nobody in without a name and its secret', (t) =>
  checkStores(t, system),
);

t.test(
  'B-reflect, older fault 57: one RPC answers alike over REST, Connect JSON, Connect binary, gRPC and gRPC-Web',
  async (t) => {
    const ada = await system.person('ada');
    const direct = system.direct('auth');
    const edge = system.gatewayUrl;
    const transports: Record<string, Transport> = {
      'Connect JSON at the service': createConnectTransport({
        baseUrl: direct,
        httpVersion: '1.1',
        useBinaryFormat: false,
      }),
      'Connect binary at the service': createConnectTransport({ baseUrl: direct, httpVersion: '1.1' }),
      'Connect binary at the service, h2c': createConnectTransport({ baseUrl: direct, httpVersion: '2' }),
      'gRPC at the service, h2c': createGrpcTransport({ baseUrl: direct }),
      'gRPC-Web at the service': createGrpcWebTransport({ baseUrl: direct, httpVersion: '1.1' }),
      'Connect JSON at the edge': createConnectTransport({ baseUrl: edge, httpVersion: '1.1', useBinaryFormat: false }),
      'Connect binary at the edge': createConnectTransport({ baseUrl: edge, httpVersion: '1.1' }),
      'gRPC-Web at the edge': createGrpcWebTransport({ baseUrl: edge, httpVersion: '1.1' }),
    };
    const { body } = await ada.get('/auth/me', { token: ada.token });
    for (const [name, transport] of Object.entries(transports)) {
      const client = createClient(AuthService, transport);
      const { user } = await client.getMe({}, { headers: { authorization: `Bearer ${ada.token}` } });
      t.equal(user?.id, body.user.id, name);
      t.equal(user?.email, ada.email, name);
      const refusal = await client.getMe({}).then(
        () => undefined,
        (error: unknown) => readServiceError(ConnectError.from(error))?.reason,
      );
      t.equal(refusal, 'UNAUTHENTICATED', `${name}: without a token`);
    }
  },
);

t.test('B-reflect: buf curl lists, describes and calls every service over gRPC', async (t) => {
  const buf = (...args: string[]) =>
    run(join(root, 'node_modules/.bin/buf'), ['curl', '--http2-prior-knowledge', '--protocol', 'grpc', ...args], {
      cwd: root,
    });
  for (const name of ['auth', 'payments', 'profile', 'admin'] as const) {
    const title = `${name[0]?.toUpperCase()}${name.slice(1)}Service`;
    const { stdout } = await buf('--list-methods', system.direct(name));
    t.match(stdout, `strongroom.${name}.v1.${title}/`, `${name} lists its methods`);
    const health = await buf('--data', '{}', `${system.direct(name)}/grpc.health.v1.Health/Check`);
    t.match(health.stdout, 'SERVING', `${name} answers health`);
  }
  const ada = await system.person('ada');
  const call = await buf(
    '--header',
    `authorization: Bearer ${ada.token}`,
    '--data',
    '{"pageSize": 5}',
    `${system.direct('payments')}/strongroom.payments.v1.PaymentsService/ListPayments`,
  );
  t.same(JSON.parse(call.stdout), {});
});

t.test('B-zero: internal methods can not be called from outside, by any protocol or path', async (t) => {
  const ada = await system.person('ada');
  const internal = ['CreateUser', 'SetRole', 'GetUsers', 'CheckRevocation'];
  for (const base of [system.gatewayUrl, system.direct('auth')]) {
    for (const method of internal) {
      const response = await fetch(`${base}/strongroom.auth.v1.AuthService/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ada.token}` },
        body: '{}',
      });
      t.ok([401, 403, 404].includes(response.status), `${base} ${method}: ${response.status}`);
    }
  }
});

t.test('ASVS 8.2.2: a payment of others is answered like one that is not there', async (t) => {
  const [ada, bob, eve] = [await system.person('ada'), await system.person('bob'), await system.person('eve')];
  const created = await ada.post('/payments', {
    token: ada.token,
    headers: { 'idempotency-key': 'ownership-1' },
    body: {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'JPY', minorUnits: '500' },
      recipientId: bob.id,
      description: 'Tea',
    },
  });
  t.equal(created.status, 201, created.text);
  const { id } = created.body.payment;
  t.equal((await bob.get(`/payments/${id}`, { token: bob.token })).status, 200);
  const foreign = await eve.get(`/payments/${id}`, { token: eve.token });
  const absent = await eve.get('/payments/0193b1f0-0000-7000-8000-000000000000', { token: eve.token });
  t.equal(foreign.status, 404);
  t.same({ ...foreign.body, instance: '', requestId: '' }, { ...absent.body, instance: '', requestId: '' });
});

t.test('B-idem: one key counts over REST, Connect and gRPC', async (t) => {
  const [ada, bob] = [await system.person('ada'), await system.person('bob')];
  const headers = { authorization: `Bearer ${ada.token}`, 'idempotency-key': 'over-protocols-1' };
  const request = {
    type: PaymentType.INSTANT,
    amount: { currencyCode: 'KWD', minorUnits: 1_500n },
    recipientId: bob.id,
    description: 'Three decimals',
  };
  const grpc = createClient(PaymentsService, createGrpcTransport({ baseUrl: system.direct('payments') }));
  const { payment } = await grpc.createPayment(request, { headers });
  const rest = await ada.post('/payments', {
    token: ada.token,
    headers: { 'idempotency-key': 'over-protocols-1' },
    body: { ...request, type: 'PAYMENT_TYPE_INSTANT', amount: { currencyCode: 'KWD', minorUnits: '1500' } },
  });
  t.equal(rest.body?.payment?.id, payment?.id, rest.text);
  t.equal(rest.headers.get('idempotency-replayed'), 'true');
});

t.test('B-receipt: who paid gets a receipt from the log, and checks it with nothing but the public keys', async (t) => {
  const [ada, bob] = [await system.person('ada'), await system.person('bob')];
  const amount = { currencyCode: 'EUR', minorUnits: '1500' };
  const { body: created } = await ada.post('/payments', {
    token: ada.token,
    headers: { 'idempotency-key': 'with-receipt' },
    body: { type: 'PAYMENT_TYPE_INSTANT', amount, recipientId: bob.id, description: 'Proven' },
  });
  const path = `/payments/${created.payment.id}/receipts/${created.auditEventId}`;
  const { body } = await until(
    async () => {
      const answer = await ada.get(path, { token: ada.token });
      return answer.status === 200 ? answer : undefined;
    },
    { what: 'the receipt', timeoutMs: 30_000 },
  );
  t.equal((await bob.get(path, { token: bob.token })).status, 404, 'not for another person');
  const file = join(system.dataDir, 'payment.tlog-proof');
  await writeFile(file, body.auditReceipt);
  const verify = (receipt: string) =>
    run(process.execPath, [
      join(root, 'packages/tlog/src/verify-cli.ts'),
      ...['--receipt', receipt, '--log-key', `@${join(system.dataDir, 'audit-log.key.pub')}`],
      ...['--witness-key', `@${join(system.dataDir, 'witness', 'verifier-key.txt')}`],
    ]);
  const { stdout } = await verify(file);
  t.match(stdout, /^OK: entry/);
  t.match(stdout, new RegExp(`"resourceId": "${created.payment.id}"`));
  t.match(stdout, /"action": "PAYMENT_CREATED"/);
  const extra = /^extra (.+)$/m.exec(body.auditReceipt)?.[1] ?? '';
  const lie = Buffer.from(Buffer.from(extra, 'base64').toString().replace('"1500"', '"1501"')).toString('base64');
  const forged = join(system.dataDir, 'forged.tlog-proof');
  await writeFile(forged, body.auditReceipt.replace(extra, lie));
  await t.rejects(verify(forged), { code: 1 }, 'another amount is no record of this log');
});

t.test('ASVS 8.3.2: a suspended person is out with the very next call, on every service', async (t) => {
  const ada = await system.person('ada');
  const paths = ['/auth/me', '/payments', '/profile'];
  for (const path of paths) t.equal((await ada.get(path, { token: ada.token })).status, 200, path);
  const suspended = await fetch(`${system.gatewayUrl}/api/v1/admin/users/${ada.id}/status`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'USER_STATUS_SUSPENDED', reason: 'test' }),
  });
  t.equal(suspended.status, 200, await suspended.text());
  for (const path of paths) t.equal((await ada.get(path, { token: ada.token })).status, 401, path);
});

t.test('S5.3: an administrator switches off what another service serves, and on again, while it runs', async (t) => {
  const ada = await system.person('ada');
  const search = async () =>
    (await ada.get('/payments/recipients?query=nobody@example.com', { token: ada.token })).status;
  const setFlag = (enabled: boolean) =>
    fetch(`${system.gatewayUrl}/api/v1/admin/flags/recipient-search`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ enabled, reason: 'test' }),
    });
  t.equal(await search(), 200);
  t.equal((await setFlag(false)).status, 200);
  await until(async () => (await search()) === 503, { what: 'the refusal', timeoutMs: 20_000 });
  t.equal((await ada.get('/payments', { token: ada.token })).status, 200, 'the rest goes on');
  t.equal((await setFlag(true)).status, 200);
  await until(async () => (await search()) === 200, { what: 'the service as before', timeoutMs: 20_000 });
});
