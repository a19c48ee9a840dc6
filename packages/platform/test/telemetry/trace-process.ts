// A process with the SDK, for trace.test.ts: prints what it knows of its traces.
import {
  continueTrace,
  createLogger,
  currentTraceId,
  traceHeaders,
  traceIdOf,
  withSpan,
} from '@strongroom/platform/telemetry';

const lines: string[] = [];
const logger = createLogger({
  name: 'traced',
  level: 'info',
  destination: { write: (line: string) => void lines.push(line) },
});
const report: Record<string, unknown> = {};
await withSpan('outer', { 'app.kind': 'test' }, async () => {
  report['outer'] = currentTraceId();
  report['headers'] = traceHeaders();
  logger.info('inside');
  await withSpan('inner', {}, () => {
    report['inner'] = currentTraceId();
  });
  await withSpan('failing', {}, () => {
    throw new TypeError('canary-message');
  }).catch(() => undefined);
});
const remote = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
await continueTrace({ traceparent: remote }, () =>
  withSpan('continued', {}, () => {
    report['continued'] = currentTraceId();
  }),
);
report['malformed'] = ['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff${remote.slice(2)}`].map(
  (traceparent) => traceIdOf({ traceparent }) ?? 'none',
);
report['known'] = traceIdOf({ traceparent: remote });
report['log'] = JSON.parse(lines[0] ?? '{}');
process.stdout.write(`${JSON.stringify(report)}\n`);
