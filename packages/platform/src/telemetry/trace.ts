import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

const tracerName = 'strongroom';
// W3C Trace Context, version 00. Not the global propagator: the wire format between our own parts must not hang on
// whether the SDK was started.
const traceparentFormat = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

export type { Attributes, Context, Span };
export { SpanKind };

/** Runs `fn` in a span of its own. Exceptions are marked by name: their messages may hold personal data. */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  fn: (span: Span) => Promise<T> | T,
  kind: SpanKind = SpanKind.INTERNAL,
): Promise<T> {
  return trace.getTracer(tracerName).startActiveSpan(name, { attributes, kind }, async (span) => {
    try {
      return await fn(span);
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span that the caller ends, for work that isn't one function. */
export function startSpan(name: string, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL): Span {
  return trace.getTracer(tracerName).startSpan(name, { attributes, kind });
}

export function failSpan(span: Span, error: unknown): void {
  const type = error instanceof Error ? error.name : 'Error';
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

/** Names the span of the request in hand by its route, for a server that finds the route by itself. */
export function nameRequestSpan(method: string, route: string): void {
  const span = trace.getActiveSpan();
  span?.updateName(`${method} ${route}`);
  span?.setAttributes({ 'http.route': route, 'url.path': route });
}

/** traceparent of the active span, for headers of RPC and NATS and for the outbox; empty without a span. */
export function traceHeaders(of: Context = context.active()): Record<string, string> {
  const span = trace.getSpanContext(of);
  if (span === undefined) return {};
  return { traceparent: `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}` };
}

export function traceparent(): string | undefined {
  return traceHeaders()['traceparent'];
}

/** The context that the headers name; a malformed one starts a new trace, as W3C Trace Context demands. */
export function traceContext(headers: Readonly<Record<string, string | undefined>>): Context {
  const [, traceId, spanId, flags] = traceparentFormat.exec(headers['traceparent'] ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Runs `fn` as a part of the trace that the headers name. */
export function continueTrace<T>(headers: Readonly<Record<string, string | undefined>>, fn: () => T): T {
  return context.with(traceContext(headers), fn);
}

/** The trace id of a traceparent; undefined if there is none. */
export function traceIdOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  return trace.getSpanContext(traceContext(headers))?.traceId;
}

/** Sends the spans that are still held back, for a process about to exit. Nothing to do without the SDK. */
export async function flushSpans(timeoutMs: number): Promise<void> {
  const provider = trace.getTracerProvider() as { getDelegate?: () => { forceFlush?: () => Promise<void> } };
  const flushed = provider
    .getDelegate?.()
    .forceFlush?.()
    .catch(() => undefined);
  if (flushed === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([flushed, timeout]);
  clearTimeout(timer);
}
