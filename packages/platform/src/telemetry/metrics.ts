import { createServer, type Server } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricDefinition,
  type MetricName,
  metricDefinitions,
} from './metric-names.ts';

type LabelArguments<Name extends MetricName> = keyof LabelsOf<Name> extends never
  ? [labels?: Record<never, never>]
  : [labels: LabelsOf<Name>];
type Labels = Record<string, string>;

/** The metrics of one process. Names and labels come from the closed list alone. */
export interface Metrics {
  readonly registry: Registry;
  increment<Name extends CounterName>(name: Name, ...labels: LabelArguments<Name>): void;
  add<Name extends CounterName>(name: Name, by: number, ...labels: LabelArguments<Name>): void;
  set<Name extends GaugeName>(name: Name, value: number, ...labels: LabelArguments<Name>): void;
  /** A gauge that is read when it is scraped. */
  watch<Name extends GaugeName>(name: Name, read: () => number, ...labels: LabelArguments<Name>): void;
  observe<Name extends HistogramName>(name: Name, value: number, ...labels: LabelArguments<Name>): void;
  counter(name: CounterName): Counter;
  gauge(name: GaugeName): Gauge;
  histogram(name: HistogramName): Histogram;
  /** The value now, for tests and health: a counter's, a gauge's or a histogram's count. */
  value(name: MetricName, labels?: Record<string, string>): Promise<number>;
}

/** How often the loop's delay is looked at. Each look wakes the process: with the default of 10 ms an idle one never rests. */
const loopSampleMs = 100;

export function createMetrics(options: { readonly name: string; readonly processMetrics?: boolean }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.name });
  if (options.processMetrics !== false) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopSampleMs });
  }
  const made = new Map<MetricName, Counter | Gauge | Histogram>();
  const watched = new Map<MetricName, { labels: Record<string, string>; read: () => number }[]>();

  function metric<T extends Counter | Gauge | Histogram>(name: MetricName): T {
    const known = made.get(name);
    if (known !== undefined) return known as T;
    const created = makeMetric(name, registry, () => {
      for (const { labels, read } of watched.get(name) ?? []) metric<Gauge>(name).set(labels, read());
    });
    made.set(name, created);
    return created as T;
  }

  return {
    registry,
    increment: (name, ...labels) => metric<Counter>(name).inc(labelsOf(labels), 1),
    add: (name, by, ...labels) => metric<Counter>(name).inc(labelsOf(labels), by),
    set: (name, value, ...labels) => metric<Gauge>(name).set(labelsOf(labels), value),
    watch(name, read, ...labels) {
      const all = watched.get(name) ?? [];
      all.push({ labels: labelsOf(labels), read });
      watched.set(name, all);
      metric<Gauge>(name);
    },
    observe: (name, value, ...labels) => metric<Histogram>(name).observe(labelsOf(labels), value),
    counter: (name) => metric<Counter>(name),
    gauge: (name) => metric<Gauge>(name),
    histogram: (name) => metric<Histogram>(name),
    value: async (name, labels) => sumOf(await metric<Counter>(name).get(), labels ?? {}),
  };
}

function makeMetric(name: MetricName, registry: Registry, collect: () => void): Counter | Gauge | Histogram {
  const definition: MetricDefinition = metricDefinitions[name];
  const common = { name, help: definition.help, labelNames: [...definition.labels], registers: [registry] };
  if (definition.type === 'counter') return new Counter(common);
  if (definition.type === 'gauge') return new Gauge({ ...common, collect });
  return new Histogram({ ...common, buckets: [...(definition.buckets ?? [])] });
}

function labelsOf(labels: readonly (object | undefined)[]): Labels {
  return (labels[0] ?? {}) as Labels;
}

interface Reading {
  readonly values: readonly {
    value: number;
    labels: Record<string, string | number | undefined>;
    metricName?: string;
  }[];
}

function sumOf(reading: unknown, labels: Record<string, string>): number {
  return (reading as Reading).values
    .filter(({ metricName }) => metricName === undefined || metricName.endsWith('_count'))
    .filter((entry) => Object.entries(labels).every(([label, value]) => entry.labels[label] === value))
    .reduce((sum, entry) => sum + entry.value, 0);
}

export interface MetricsServer {
  /** The address that it is bound to. */
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  /** Of every answer: helmet's (S6.1). */
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/**
 * Metrics are for the operator's scraper on the same host or pod network, never for the public: on loopback, unless
 * METRICS_HOST says otherwise (SM). Port 0 takes a free one.
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port, headers = {} }: MetricsServerOptions,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    response.setHeaders(new Map(Object.entries(headers)));
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { ...boundTo(server), close: () => closeServer(server) };
}

function boundTo(server: Server): { host: string; port: number } {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The metrics have no port.');
  return { host: bound.address, port: bound.port };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
