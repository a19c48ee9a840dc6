import { trace } from '@opentelemetry/api';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { failSpan, type Span, SpanKind, startSpan } from '../telemetry/trace.ts';
import type { DatabaseConfig } from './config.ts';
import type { PendingQuery } from './intercept.ts';
import { describeStatement, type StatementInfo } from './statement.ts';

export interface QueryObserver {
  /** Begins to observe; what is returned is called when the query has settled. */
  begin(query: PendingQuery): (error: unknown, result: unknown) => StatementInfo;
}

export interface ObserverOptions {
  readonly name: string;
  readonly config: DatabaseConfig;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
}

const msPerS = 1_000;

/** Statistics by table and action, spans and the slow-query log (S4.2): never with a parameter's value. */
export function createQueryObserver({ name, config, logger, metrics }: ObserverOptions): QueryObserver {
  const counts = config.DB_ENABLE_QUERY_METRICS ? metrics : undefined;
  const isSlowLogged = config.DB_ENABLE_SLOW_QUERY_LOGGING;
  const slowMs = config.DB_SLOW_QUERY_THRESHOLD_MS;

  function slow(info: StatementInfo, durationMs: number, result: unknown): void {
    counts?.increment('db_slow_queries_total', { table: info.table, action: info.action });
    if (!isSlowLogged) return;
    const rows = (result as { count?: number } | undefined)?.count;
    const { table, action, text } = info;
    logger.warn({ table, action, durationMs: Math.round(durationMs), rows, statement: text }, 'slow query');
  }

  return {
    begin(query) {
      const info = describeStatement(query.strings, query.tagged);
      const span = startQuerySpan(name, info, query);
      const startMs = performance.now();
      return (error, result) => {
        const durationMs = performance.now() - startMs;
        if (counts !== undefined) {
          const { table, action } = info;
          counts.observe('db_query_duration_seconds', durationMs / msPerS, { table, action });
          counts.increment('db_queries_total', { table, action, outcome: error === undefined ? 'ok' : 'error' });
        }
        if (durationMs >= slowMs) slow(info, durationMs, result);
        if (span !== undefined) {
          if (error !== undefined) failSpan(span, error);
          span.end();
        }
        return info;
      };
    },
  };
}

/** postgres.js has no instrumentation of OpenTelemetry's. Only inside a trace: pollers would make thousands of roots. */
function startQuerySpan(name: string, info: StatementInfo, query: PendingQuery): Span | undefined {
  if (trace.getActiveSpan() === undefined) return undefined;
  const isParametrised = query.tagged || query.args.length > 0;
  return startSpan(
    `${info.action.toUpperCase()} ${info.table}`,
    {
      'db.system.name': 'postgresql',
      'db.namespace': name,
      'db.operation.name': info.action,
      'db.collection.name': info.table,
      ...(isParametrised ? { 'db.query.text': info.text } : {}),
    },
    SpanKind.CLIENT,
  );
}
