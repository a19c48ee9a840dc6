// What an expression of PromQL asks for, read by Prometheus' own grammar, and what the product exports under a name.
import { parser } from '@prometheus-io/lezer-promql';
import { createMetrics, type MetricDefinition, metricDefinitions } from '@strongroom/platform/telemetry';

export interface Selector {
  readonly metric: string;
  /** Labels that it is narrowed down by. */
  readonly labels: readonly string[];
}

export interface Expression {
  /** Stretches that are no PromQL. */
  readonly faults: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels of by, on, ignoring and the like. */
  readonly groupedBy: readonly string[];
}

/** `$__rate_interval` is Grafana's and stands for a duration. */
export function readExpression(text: string): Expression {
  const source = text.replaceAll('$__rate_interval', '5m');
  const faults: string[] = [];
  const selectors: { metric: string; labels: string[] }[] = [];
  const groupedBy: string[] = [];
  parser.parse(source).iterate({
    enter(node) {
      const own = source.slice(node.from, node.to);
      if (node.type.isError) faults.push(`at ${node.from}: ${own}`);
      if (node.name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      const selector = selectors.at(-1);
      const { parent } = node.node;
      if (node.name === 'Identifier' && parent?.name === 'VectorSelector' && selector) selector.metric = own;
      if (node.name !== 'LabelName') return;
      if (parent?.name === 'GroupingLabels') groupedBy.push(own);
      else selector?.labels.push(own);
    },
  });
  return { faults, selectors, groupedBy };
}

/** Set for each target by Prometheus and ops/docker/prometheus.yml; `process` by the registry of each process. */
const targetLabels = ['job', 'instance', 'process'];
const { registry } = createMetrics({ name: 'test' });
const ofNode = new Set(registry.getMetricsAsArray().map(({ name }) => name));

/** The labels of a series, or undefined if nobody exports it. */
export function exportedLabels(series: string): ReadonlySet<string> | undefined {
  if (series === 'up' || ofNode.has(series)) return new Set(targetLabels);
  const definitions: Record<string, MetricDefinition | undefined> = metricDefinitions;
  const definition = definitions[series];
  // A histogram is exported as its parts alone.
  if (definition !== undefined && definition.type !== 'histogram')
    return new Set([...definition.labels, ...targetLabels]);
  const [, name = '', part] = /^(.+)_(bucket|count|sum)$/.exec(series) ?? [];
  const histogram = definitions[name];
  if (histogram?.type !== 'histogram') return undefined;
  return new Set([...histogram.labels, ...targetLabels, ...(part === 'bucket' ? ['le'] : [])]);
}
