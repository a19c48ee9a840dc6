// One trace id from the gateway's span to the row in the audit log (SM).
import { type OtlpReceiver, openSql, until } from '@strongroom/testkit';
import type { Test } from 'tap';
import type { TestSystem } from './system-fixture.ts';

const arrivalTimeoutMs = 30_000;

export async function checkTrace(t: Test, system: TestSystem, receiver: OtlpReceiver): Promise<void> {
  const audit = openSql(system.engines.postgres.databases.audit);
  t.teardown(() => audit.end());
  const [ada, bob] = [await system.person('ada'), await system.person('bob')];
  const answer = await ada.post('/payments', {
    token: ada.token,
    headers: { 'idempotency-key': 'traced-1' },
    body: {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '990' },
      recipientId: bob.id,
      description: 'Traced',
    },
  });
  t.equal(answer.status, 201, answer.text);
  const { id } = answer.body.payment;
  const row = await until(
    async () =>
      (await audit`select trace_id from audit_record where action = 'PAYMENT_CREATED' and resource_id = ${id}`)[0],
    { timeoutMs: arrivalTimeoutMs },
  );
  const traceId = String(row['trace_id']);
  t.match(traceId, /^[0-9a-f]{32}$/);
  const ofTrace = () => receiver.spans.filter((span) => span.traceId === traceId);
  const wanted = [
    'gateway POST /api/v1/payments',
    'gateway POST /strongroom.payments.v1.PaymentsService/CreatePayment',
    'payments POST /strongroom.payments.v1.PaymentsService/CreatePayment',
    'payments INSERT idempotency_keys',
    'admin process audit-log',
  ];
  const seen = () => new Set(ofTrace().map(({ service, name }) => `${service} ${name}`));
  await until(async () => wanted.every((name) => seen().has(name)), {
    timeoutMs: arrivalTimeoutMs,
    what: `spans ${wanted.join(', ')} in trace ${traceId}`,
  });
  const ids = new Set(ofTrace().map(({ spanId }) => spanId));
  const roots = ofTrace().filter(({ parentSpanId }) => !ids.has(parentSpanId));
  t.same(
    roots.map(({ service, name }) => `${service} ${name}`),
    ['gateway POST /api/v1/payments'],
    'every other span hangs on the one of the edge',
  );

  await ada.get(`/auth/admin/lockout/${encodeURIComponent(bob.email)}`, { token: ada.token });
  const refused = await receiver.waitForSpan(({ name }) => name === 'GET /api/v1/auth/admin/lockout/{email}');
  t.equal(refused.service, 'gateway');
  t.notMatch(JSON.stringify(receiver.spans), /bob\.|ada\.|Traced/, 'S6.2: nothing of a person stands in a span');
}
