import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createOtlpReceiver, createTestDatabase, createTestNats } from '@strongroom/testkit';
import t from 'tap';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'trace-process.ts');

async function traced(environment: Record<string, string>, entry = script) {
  const { stdout } = await run(process.execPath, ['--import', '@strongroom/platform/telemetry/register', entry], {
    env: { PATH: process.env['PATH'], ...environment },
    cwd: join(import.meta.dirname, '..', '..'),
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
}

t.test('SM: without a collector traces have ids all the same, in logs and in headers', async (t) => {
  const report = await traced({});
  t.match(report.outer, /^[0-9a-f]{32}$/);
  t.equal(report.inner, report.outer);
  t.match(report.headers.traceparent, new RegExp(`^00-${report.outer}-[0-9a-f]{16}-0[01]$`));
  t.match(report.log, { trace_id: report.outer, span_id: /^[0-9a-f]{16}$/, msg: 'inside' });
  t.equal(report.continued, '0af7651916cd43dd8448eb211c80319c', 'a trace goes on over headers');
  t.same(report.malformed, ['none', 'none', 'none', 'none']);
  t.equal(report.known, '0af7651916cd43dd8448eb211c80319c');
});

t.test('SM: with a collector spans arrive by OTLP, failed ones without their message', async (t) => {
  const receiver = await createOtlpReceiver();
  t.teardown(() => receiver.close());
  const report = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'traced' });
  await receiver.waitForSpan(({ name }) => name === 'continued');
  const { spans } = receiver;
  const names = spans.map(({ name }) => name);
  for (const name of ['outer', 'inner', 'failing', 'continued']) t.ok(names.includes(name), name);
  t.equal(spans.find(({ name }) => name === 'inner')?.traceId, report.outer);
  t.notMatch(JSON.stringify(spans), /canary/);
});

t.test('SM: one trace from the act over the outbox and the bus to the consumer, with its queries', async (t) => {
  const [receiver, test, nats] = await Promise.all([
    createOtlpReceiver(),
    createTestDatabase('platform'),
    createTestNats(),
  ]);
  t.teardown(() => Promise.all([receiver.close(), test.drop(), nats.close()]));
  const report = await traced(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      STRONGROOM_ENV: 'test',
      DATABASE_URL: test.runtimeUrl,
      NATS_URL: nats.url,
    },
    join(import.meta.dirname, 'act-process.ts'),
  );
  const consumed = await receiver.waitForSpan(({ name }) => name === 'process traced');
  t.equal(consumed.traceId, report.traceId);
  t.equal(consumed.kind, 5);
  const query = await receiver.waitForSpan(({ name }) => name === 'SELECT strongroom.outbox');
  t.match(query, { traceId: report.traceId, kind: 3, attributes: { 'db.system.name': 'postgresql' } });
  t.notMatch(JSON.stringify(receiver.spans), /canary/, 'no value of a parameter');
});
