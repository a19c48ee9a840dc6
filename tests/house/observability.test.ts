// Rules, dashboards and the runbook speak of metrics by name; here each name is held against what the product exports.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labelValues, type MetricDefinition, metricDefinitions } from '@strongroom/platform/telemetry';
import t from 'tap';
import { parse } from 'yaml';
import { operationsDashboard } from '../../ops/grafana/operations.ts';
import { securityDashboard } from '../../ops/grafana/security.ts';
import { dashboardFiles } from '../../scripts/dashboards.ts';
import { exportedLabels, readExpression } from './promql.ts';
import { isTest, root, sourceFiles } from './source-files.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const rulesFolder = join(root, 'ops', 'prometheus');
const ruleNames = readdirSync(rulesFolder).filter((name) => name.endsWith('.rules.yml'));

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

const rules = ruleNames.flatMap((name) =>
  (parse(read(`ops/prometheus/${name}`)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, name: rule.alert }]));
const queries = [securityDashboard, operationsDashboard].flatMap(({ title, groups }) =>
  groups.flatMap((group) =>
    group.panels.flatMap((panel) =>
      Object.entries(panel.queries).map(([legend, expr]) => ({
        where: `${title}: ${group.title}: ${panel.title}`,
        legend,
        expr,
      })),
    ),
  ),
);
const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
const expressions = [
  ...rules.map((rule) => ({
    where: rule.alert ?? rule.record ?? '',
    expr: rule.expr,
    mentioned: labelsIn(Object.values(rule.annotations ?? {}).join(' '), /\$labels\.(\w+)/g),
  })),
  ...queries.map(({ where, legend, expr }) => ({ where, expr, mentioned: labelsIn(legend, /\{\{(\w+)\}\}/g) })),
];

function labelsIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, label = '']) => label);
}

t.test('SM, older fault 54: every expression is PromQL over metrics and labels that the product exports', (t) => {
  for (const { where, expr, mentioned } of expressions) {
    const { faults, selectors, groupedBy } = readExpression(expr);
    t.strictSame(faults, [], `${where} can be parsed`);
    t.ok(selectors.length > 0, `${where} asks for something`);
    const known = new Set<string>();
    for (const { metric, labels } of selectors) {
      const exported = recorded.has(metric) ? new Set<string>() : exportedLabels(metric);
      t.ok(exported, `${where}: ${metric} is exported`);
      for (const label of exported ?? []) known.add(label);
      for (const label of labels) t.ok(exported?.has(label), `${where}: ${metric} has the label ${label}`);
    }
    for (const label of [...groupedBy, ...mentioned]) t.ok(known.has(label), `${where}: there is a label ${label}`);
    if (expr.includes('sum') || expr.includes('max by')) {
      for (const label of mentioned) t.ok(groupedBy.includes(label), `${where}: ${label} survives the aggregation`);
    }
  }
  t.end();
});

t.test('SM: every metric is exported by some code, and looked at by a rule or a dashboard', (t) => {
  const product = sourceFiles(/^(packages|services|gateway)\/.*\.ts$/)
    .filter(({ path }) => !isTest(path) && !path.endsWith('metric-names.ts'))
    .map(({ text }) => text)
    .join('\n');
  const asked = new Set(expressions.flatMap(({ expr }) => readExpression(expr).selectors.map(({ metric }) => metric)));
  for (const name of Object.keys(metricDefinitions)) {
    t.ok(product.includes(`'${name}'`), `${name} is exported`);
    const names = [name, `${name}_bucket`, `${name}_count`, `${name}_sum`];
    t.ok(
      names.some((one) => asked.has(one)),
      `${name} is looked at`,
    );
  }
  t.end();
});

t.test('SM: every alert says how bad it is, what it means and what to do, and is tested firing and silent', (t) => {
  const runbook = [...read('docs/OPERATIONS.md').matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name);
  t.strictSame(runbook.sort(), alerts.map(({ name }) => name).sort(), 'the runbook has the alerts and no other');
  const cases = ruleNames.flatMap((name) => {
    const { tests } = parse(read(`ops/prometheus/tests/${name.replace('.rules.', '.test.')}`)) as { tests: RuleTest[] };
    return tests.flatMap((test) => test.alert_rule_test);
  });
  for (const { name, labels, annotations } of alerts) {
    t.match(labels?.['severity'], /^(critical|warning|info)$/, `${name} has a severity`);
    for (const key of ['summary', 'description']) t.match(annotations?.[key], /\.$/, `${name} has a ${key}`);
    t.equal(annotations?.['runbook_url'], `docs/OPERATIONS.md#${name.toLowerCase()}`);
    const own = cases.filter(({ alertname }) => alertname === name);
    t.ok(
      own.some((one) => one.exp_alerts.length > 0),
      `${name} is seen to fire`,
    );
    t.ok(
      own.some((one) => one.exp_alerts.length === 0),
      `${name} is seen to be silent`,
    );
  }
  t.end();
});

t.test('SM: promtool finds the rules sound, and their tests hold', (t) => {
  if (spawnSync('promtool', ['--version']).status !== 0) {
    t.comment('PROMTOOL IS NOT ON THIS MACHINE: the unit tests of the alert rules did not run. .ci/run fetches it.');
    t.match(read('.ci/run'), /promtool/, 'continuous integration runs them');
    t.end();
    return;
  }
  const tests = ruleNames.map((name) => join('tests', name.replace('.rules.', '.test.')));
  for (const args of [
    ['check', 'rules', ...ruleNames],
    ['test', 'rules', ...tests],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: rulesFolder, encoding: 'utf8' });
    t.equal(status, 0, `promtool ${args[0]} rules: ${stdout}${stderr}`);
  }
  t.end();
});

t.test('SM: the dashboards are what their source says, and have the groups of the plan', (t) => {
  for (const [path, content] of dashboardFiles()) t.equal(read(path), content, 'run: node scripts/dashboards.ts');
  const titles = [securityDashboard, operationsDashboard].flatMap(({ groups }) => groups.map(({ title }) => title));
  for (const title of [
    'Rate limiting',
    'Authentication',
    'Authorization',
    'Validation',
    'Database',
    'Resilience',
    'API security',
    'Audit log',
  ]) {
    t.ok(titles.includes(title), title);
  }
  t.end();
});

t.test('SM: Prometheus reads all five processes where the compose file has their metrics, and every rule file', (t) => {
  const prometheus = parse(read('ops/docker/prometheus.yml')) as {
    rule_files: string[];
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };
  const compose = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { environment?: Record<string, string>; volumes?: string[] }>;
  };
  const expected = Object.entries(compose.services).flatMap(([name, { environment }]) =>
    environment?.['METRICS_PORT'] === undefined ? [] : [`${name}:${environment['METRICS_PORT']}`],
  );
  t.equal(expected.length, 5);
  const [job] = prometheus.scrape_configs;
  t.strictSame(job?.static_configs.flatMap(({ targets }) => targets).sort(), expected.sort());
  t.equal(job?.job_name, 'strongroom', 'as the rules name it');
  t.ok(compose.services['prometheus']?.volumes?.includes('./ops/prometheus:/etc/strongroom/rules:ro'));
  t.strictSame(prometheus.rule_files, ['/etc/strongroom/rules/*.rules.yml']);
  t.end();
});

/** Names of what tells one person, request or secret from another. */
const tellsApart =
  /\b(email|phone|ipAddress|clientAddress|userAgent|userId|subjectId|actorId|sessionId|tokenId|deviceId|requestId|traceId|kid|jti|url|password|token)\b/;

t.test('B-canary: no label holds personal data, or more values than somebody has listed', (t) => {
  const definitions: Record<string, MetricDefinition> = metricDefinitions;
  const used = new Set(Object.values(definitions).flatMap(({ labels }) => labels));
  t.strictSame(
    Object.keys(labelValues).sort(),
    [...used].sort(),
    'each label says out of which values it takes its own',
  );
  for (const label of used) t.notMatch(label, /id$|mail|phone|address|agent|user|url|ip$|kid|trace/i, label);
  for (const { path, text } of sourceFiles(/^(packages|services|gateway)\/.*\.ts$/)) {
    if (isTest(path)) continue;
    for (const [call, labels = ''] of text.matchAll(
      /[mM]etrics\??\.(?:increment|add|set|observe|watch)\([^{};]*(\{[^}]*\})/g,
    )) {
      t.notMatch(labels.replaceAll(/'[^']*'/g, "''"), tellsApart, `${path}: ${call.replaceAll(/\s+/g, ' ')}`);
    }
  }
  t.end();
});
