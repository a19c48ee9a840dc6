import { loadConfig, processVariables } from '@strongroom/platform/config';
import { createMetrics, metricDefinitions, serveMetrics } from '@strongroom/platform/telemetry';
import t from 'tap';

t.test('SM: metrics come out of the closed list, each with help and few labels', async (t) => {
  for (const [name, { type, help, labels }] of Object.entries(metricDefinitions)) {
    t.match(name, /^[a-z][a-z0-9_]*$/);
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: a counter is called total`);
    t.match(help, /\.$/);
    t.ok(labels.length <= 3, `${name} has few labels`);
    for (const label of labels)
      t.notMatch(label, /(^|_)id$|email|address|url|user|subject/, `${name}: ${label} has few values`);
  }
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  metrics.increment('outbox_published_total', { source: 'a', kind: 'event' });
  metrics.add('outbox_published_total', 2, { source: 'a', kind: 'notice' });
  metrics.set('outbox_pending', 7, { source: 'a' });
  metrics.observe('db_query_duration_seconds', 0.02, { table: 't', action: 'select' });
  metrics.observe('db_query_duration_seconds', 0.3, { table: 't', action: 'select' });
  let connections = 3;
  metrics.watch('db_pool_total_connections', () => connections, { database: 'a' });
  t.equal(await metrics.value('outbox_published_total'), 3);
  t.equal(await metrics.value('outbox_published_total', { kind: 'event' }), 1);
  t.equal(await metrics.value('outbox_pending'), 7);
  t.equal(await metrics.value('db_query_duration_seconds'), 2);
  t.equal(await metrics.value('db_pool_total_connections'), 3);
  connections = 4;
  t.match(await metrics.registry.metrics(), /db_pool_total_connections\{database="a",process="test"\} 4/);
  t.throws(() => metrics.increment('outbox_published_total', { source: 'a', nonsense: 'x' } as never));
});

t.test('SM: metrics are served on METRICS_HOST, which is loopback unless set, under one path', async (t) => {
  const metrics = createMetrics({ name: 'test' });
  const { METRICS_HOST: host, METRICS_PORT: port } = await loadConfig(processVariables, {});
  const server = await serveMetrics(metrics, { host, port });
  t.teardown(() => server.close());
  t.equal(server.host, '127.0.0.1');
  const onNetwork = await loadConfig(processVariables, { METRICS_HOST: '0.0.0.0' });
  const open = await serveMetrics(metrics, { host: onNetwork.METRICS_HOST, port });
  t.teardown(() => open.close());
  t.equal(open.host, '0.0.0.0');
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const answer = await at('/metrics');
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-type'), /^text\/plain/);
  t.match(await answer.text(), /process_cpu_user_seconds_total\{process="test"\}/);
  t.equal((await at('/')).status, 404);
  t.equal((await at('/metrics', { method: 'POST' })).status, 404);
});
