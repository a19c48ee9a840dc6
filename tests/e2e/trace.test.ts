// One trace id from the gateway's span to the row in the audit log (SM).
import { createOtlpReceiver, openSql, until } from '@strongroom/testkit';
import t from 'tap';
import { startTestSystem } from './system-fixture.ts';

const fileTimeoutMs = 240_000;
const arrivalTimeoutMs = 30_000;
t.setTimeout(fileTimeoutMs);

t.test('SM: one trace leads from the edge through services, database and bus to the audit row', async (t) => {
  const receiver = await createOtlpReceiver();
  t.teardown(() => receiver.close());
  const system = await startTestSystem(t.teardown, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
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
  const wanted = ['gateway', 'payments', 'admin'];
  const servicesOfTrace = () =>
    new Set(receiver.spans.filter((span) => span.traceId === traceId).map((span) => span.service));
  await until(async () => wanted.every((name) => servicesOfTrace().has(name)), {
    timeoutMs: arrivalTimeoutMs,
    what: `spans of ${wanted.join(', ')} in trace ${traceId}`,
  });
  const names = receiver.spans.filter((span) => span.traceId === traceId).map((span) => span.name);
  t.ok(
    names.some((name) => /process/.test(name)),
    'the consumer that wrote the row is part of the trace',
  );
});
