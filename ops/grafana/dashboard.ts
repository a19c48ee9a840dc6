// A dashboard as its author thinks of it, and as Grafana 12 is provisioned with it (schema version 41).

/** One panel: what each line is called, and the PromQL behind it. */
export interface Panel {
  readonly title: string;
  readonly help?: string;
  /** A time series unless said otherwise. */
  readonly kind?: 'timeseries' | 'stat';
  /** Of Grafana's units: s, bytes, reqps, cps, percentunit; left out, a plain number. */
  readonly unit?: string;
  /** Legend (may hold {{labels}}) to expression. */
  readonly queries: Readonly<Record<string, string>>;
}

export interface Group {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly groups: readonly Group[];
}

const datasource = { type: 'prometheus', uid: 'prometheus' };
const schemaVersion = 41;
/** Grafana's grid has 24 columns. */
const panelWidth = 8;
const panelHeight = 8;
const panelsInRow = 3;

/** The rate of a counter, summed over everything but `labels`. */
export function perSecond(counter: string, labels: readonly string[] = [], matchers = ''): string {
  return `${sumBy(labels)}(rate(${counter}${matchers === '' ? '' : `{${matchers}}`}[$__rate_interval]))`;
}

/** A quantile of a histogram, for each value of `labels`. */
export function quantile(share: number, histogram: string, labels: readonly string[] = []): string {
  return `histogram_quantile(${share}, ${sumBy(['le', ...labels])}(rate(${histogram}_bucket[$__rate_interval])))`;
}

function sumBy(labels: readonly string[]): string {
  return labels.length === 0 ? 'sum' : `sum by (${labels.join(', ')}) `;
}

/** The JSON that Grafana is provisioned with. */
export function toGrafana({ uid, title, groups }: Dashboard): object {
  const panels: object[] = [];
  let y = 0;
  for (const group of groups) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: group.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    for (const [index, panel] of group.panels.entries()) {
      const x = (index % panelsInRow) * panelWidth;
      const row = Math.floor(index / panelsInRow) * panelHeight;
      panels.push(toPanel(panel, panels.length + 1, { h: panelHeight, w: panelWidth, x, y: y + row }));
    }
    y += Math.ceil(group.panels.length / panelsInRow) * panelHeight;
  }
  return {
    uid,
    title,
    tags: ['strongroom'],
    schemaVersion,
    version: 1,
    editable: false,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    annotations: { list: [] },
    templating: { list: [] },
    links: [],
    panels,
  };
}

function toPanel({ title, help, kind = 'timeseries', unit = 'short', queries }: Panel, id: number, gridPos: object) {
  const options =
    kind === 'stat'
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, textMode: 'value_and_name' }
      : {
          legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
          tooltip: { mode: 'multi', sort: 'desc' },
        };
  return {
    id,
    type: kind,
    title,
    ...(help === undefined ? {} : { description: help }),
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options,
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat,
    })),
  };
}
