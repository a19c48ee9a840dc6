export { currentRequest, currentTraceId, type Deadline, type RequestContext, runInRequest } from './context.ts';
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelName,
  labelValues,
  type MetricDefinition,
  type MetricName,
  metricDefinitions,
} from './metric-names.ts';
export { createMetrics, type Metrics, type MetricsServer, serveMetrics } from './metrics.ts';
export { isSecretField, redactText, redactValue } from './redact.ts';
export {
  type Attributes,
  continueTrace,
  failSpan,
  flushSpans,
  nameRequestSpan,
  type Span,
  SpanKind,
  startSpan,
  traceContext,
  traceHeaders,
  traceIdOf,
  traceparent,
  withSpan,
} from './trace.ts';
