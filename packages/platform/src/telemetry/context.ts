import { AsyncLocalStorage } from 'node:async_hooks';
import { trace } from '@opentelemetry/api';

/** What is known about the request that the current code works for. */
export interface RequestContext {
  readonly requestId?: string;
  /** Used when no span is active: a process without the OpenTelemetry SDK, or a message from the outbox. */
  readonly traceId?: string;
  readonly deadline?: Deadline;
}

/** When the caller stops waiting. */
export interface Deadline {
  remainingMs(): number;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Everything that `fn` starts sees the context: log lines get its ids, and queries its deadline. */
export function runInRequest<T>(context: RequestContext, fn: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, fn);
}

export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}

export function currentTraceId(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  return active?.traceId ?? storage.getStore()?.traceId;
}
