import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { CreatePaymentRequestSchema } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { holdsCardNumber, type RefusalAudit } from '@strongroom/platform/rpc';
import t, { type Test } from 'tap';

import { startServer } from './fixture.ts';

const payment: MessageInitShape<typeof CreatePaymentRequestSchema> = {
  type: 1,
  amount: { currencyCode: 'EUR', minorUnits: 100n },
  recipientEmail: 'bob@example.com',
  description: 'rent',
};

async function createClients(t: Pick<Test, 'teardown'>) {
  const refusals: string[] = [];
  const refusalAudit: RefusalAudit = {
    record: (_call, { reason }) => void refusals.push(reason),
    close: () => Promise.resolve(),
  };
  const server = await startServer({ refusalAudit });
  t.teardown(() => server.close());
  const authorization = `Bearer ${server.tokens.token()}`;
  const clients = [
    createConnectTransport({ baseUrl: server.url, httpVersion: '1.1' }),
    createGrpcTransport({ baseUrl: server.url }),
  ].map((transport) => createClient(PaymentsService, transport));
  return { server, refusals, authorization, clients };
}

t.test('B-idem: header and field are one namespace', async (t) => {
  const { server, authorization, clients } = await createClients(t);
  const cases: [string | undefined, string | undefined, string][] = [
    [undefined, undefined, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['', undefined, 'IDEMPOTENCY_KEY_INVALID'],
    ['a', undefined, 'a'],
    [undefined, 'b', 'b'],
    ['c', 'c', 'c'],
    ['c', 'd', 'IDEMPOTENCY_KEY_CONFLICT'],
    ['!~', undefined, '!~'],
    ['two words', undefined, 'IDEMPOTENCY_KEY_INVALID'],
    ['k'.repeat(255), undefined, 'k'.repeat(255)],
    ['k'.repeat(256), undefined, 'IDEMPOTENCY_KEY_INVALID'],
    [undefined, 'k'.repeat(256), 'IDEMPOTENCY_KEY_INVALID'],
  ];
  for (const client of clients) {
    for (const [header, requestId, expected] of cases) {
      const headers = { authorization, ...(header === undefined ? {} : { 'idempotency-key': header }) };
      const outcome = await client.createPayment({ ...payment, requestId }, { headers }).then(
        () => server.seen.at(-1)?.call.idempotencyKey,
        (error: unknown) => readServiceError(error)?.reason,
      );
      t.equal(outcome, expected, `${header} ${requestId}`);
    }
    await client.listPayments({}, { headers: { authorization, 'idempotency-key': 'ignored' } });
    t.equal(server.seen.at(-1)?.call.idempotencyKey, undefined, 'a read has no key');
  }
});

t.test('S2.1: a broken rule is told by field and rule, and a secret’s value never', async (t) => {
  const { authorization, clients } = await createClients(t);
  const headers = { authorization, 'idempotency-key': 'key' };
  for (const client of clients) {
    const error = await client
      .addPaymentMethod(
        { method: { case: 'card', value: { number: '4111111111111111', expMonth: 13, expYear: 2030, cvc: 'canary' } } },
        { headers },
      )
      .catch(readServiceError);
    t.match(error, {
      reason: 'VALIDATION_FAILED',
      violations: [
        { field: 'card.exp_month', rule: 'int32.gte_lte' },
        { field: 'card.cvc', message: /^breaks string\./ },
      ],
    });
    t.notMatch(JSON.stringify(error), /canary|4111/);
    const long = await client
      .createPayment({ ...payment, metadata: { '': 'x', k: 'v'.repeat(501) } }, { headers })
      .catch(readServiceError);
    t.match(long, { violations: [{ field: 'metadata[""]' }, { field: 'metadata["k"]', rule: 'string.max_len' }] });
  }
});

t.test(
  'S2.1, ASVS V1.3.3: text that no database stores is refused by its field; a password may be anything',
  async (t) => {
    const { server, authorization } = await createClients(t);
    const call = async (path: string, body: string) => {
      const response = await fetch(`${server.url}/strongroom.${path}`, {
        method: 'POST',
        headers: { authorization, 'idempotency-key': 'key', 'content-type': 'application/json' },
        body,
      });
      return { status: response.status, text: await response.text() };
    };
    const createPayment = (field: string, json: string) =>
      call(
        'payments.v1.PaymentsService/CreatePayment',
        `{"type":1,"amount":{"currencyCode":"EUR","minorUnits":"100"},"recipientEmail":"bob@example.com","description":"rent","${field}":${json}}`,
      );
    const login = (email: string, password: string) =>
      call('auth.v1.AuthService/Login', `{"email":"${email}","password":"${password}"}`);
    const refused = [
      await createPayment('metadata', '{"k":"a\\u0000b"}'),
      await createPayment('metadata', '{"a\\u0000b":"v"}'),
      await createPayment('metadata', '{"k":"\\ud800"}'),
      await createPayment('recurrence', '"a\\u0000b"'),
      await login('a\\u0000b@example.com', 'p'),
    ];
    for (const { status, text } of refused) t.equal(status, 400, text);
    for (const { text } of refused.filter((_, index) => index !== 2)) t.match(text, 'VALIDATION_FAILED');
    t.equal(server.seen.length, 0, 'no use case has seen any of them');
    const { status, text } = await login('a@example.com', 'a\\u0000b');
    t.equal(status, 200, text);
  },
);

t.test('S4.3: a card number is refused wherever it doesn’t belong, and that is recorded', async (t) => {
  const { refusals, authorization, clients, server } = await createClients(t);
  const headers = { authorization, 'idempotency-key': '4111111111111111' };
  for (const client of clients) {
    const attempts: (typeof payment)[] = [
      { ...payment, description: 'card 4111 1111 1111 1111 please' },
      { ...payment, metadata: { note: '4111-1111-1111-1111' } },
      { ...payment, metadata: { '5500000000000004': 'x' } },
    ];
    for (const attempt of attempts) {
      const error = await client.createPayment(attempt, { headers }).catch(readServiceError);
      t.match(error, { reason: 'CARD_NUMBER_NOT_ALLOWED', status: 400 });
    }
    await client.createPayment({ ...payment, recipientId: randomUUID() }, { headers });
    const card = { number: '4111111111111111', expMonth: 12, expYear: 2030, cvc: '123' };
    await client.addPaymentMethod({ method: { case: 'card', value: card } }, { headers });
    t.equal(server.seen.at(-1)?.method, 'addPaymentMethod', 'where it belongs it is taken');
  }
  t.same(refusals, Array(6).fill('CARD_NUMBER_NOT_ALLOWED'));
  t.notMatch(JSON.stringify(server.log.entries), /4111|5500/);
});

t.test('S4.3: what is a card number', async (t) => {
  const cards = [
    '4111111111111111',
    '4222222222222',
    '5555555555554444',
    '2223003122003222',
    '378282246310005',
    '30569309025904',
    '6011111111111117',
    '3530111333300000',
    '6200000000000005',
    'pay 4111 1111 1111 1111 now',
    '4111-1111-1111-1111',
    '4111.1111.1111.1111',
    '4111\u00a01111\u00a01111\u00a01111',
    '1 4111 1111 1111 1111 2',
    'x4111111111111111y',
    '4111111111111111 5555555555554444',
  ];
  for (const text of cards) t.ok(holdsCardNumber(text), text);
  const others = [
    '4111111111111112',
    '1234567890123456',
    '0000000000000000',
    '',
    '4111',
    '41111111111111111111111',
    '+49 151 1234 5678 9',
    '+4915112345678',
    '2026-11-24T20:28:51.123Z',
    '9999 9999 9999 9999',
    '411111111111111',
    '1.234.567,89',
  ];
  for (const text of others) t.notOk(holdsCardNumber(text), text);
  for (let round = 0; round < 20_000; round++) {
    const id = randomUUID();
    if (holdsCardNumber(id) || holdsCardNumber(`payment ${id}, thanks`)) t.fail(id);
  }
  const started = process.cpuUsage().user;
  holdsCardNumber('1-'.repeat(500_000));
  holdsCardNumber('123456789012x'.repeat(80_000));
  t.ok(process.cpuUsage().user - started < 5_000_000, 'in linear time');
});
