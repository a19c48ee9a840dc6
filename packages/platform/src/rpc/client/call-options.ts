import { randomBytes } from 'node:crypto';
import { type CallOptions, type ConnectError, createContextKey, createContextValues } from '@connectrpc/connect';
import { traceparent } from '../../telemetry/index.ts';
import type { Deadline } from '../call.ts';
import { idempotencyKeyHeader } from '../interceptors/idempotency-key.ts';
import { clientHeaders } from '../server-call.ts';

/** What a call passes on to the calls that it makes. `Call` is one; the gateway makes its own. */
export interface ForwardableCall {
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly accessToken?: string | undefined;
  /** Thumbprint of the key that a bound token was proven by. */
  readonly provenKey?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly deadline?: Deadline | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In place of the signal, where there is one: costs no AbortController. */
  onAbort?(listener: (reason: ConnectError) => void): () => void;
}

/** How the transport learns that the call behind a request has ended. */
export const forwardedCallKey = createContextKey<ForwardableCall | undefined>(undefined, {
  description: 'strongroom.forwarded-call',
});

/** Passes on the person's token, what is known about the client, the trace, the deadline and the cancellation. */
export function forward(call: ForwardableCall): CallOptions {
  const headers = commonHeaders(call);
  if (call.accessToken !== undefined) headers['authorization'] = `Bearer ${call.accessToken}`;
  if (call.provenKey !== undefined) headers[clientHeaders.provenKey] = call.provenKey;
  if (call.idempotencyKey !== undefined) headers[idempotencyKeyHeader] = call.idempotencyKey;
  return optionsOf(call, headers);
}

/** The same without the person's token and key: the service asks in its own name. Background work has no call at all. */
export function asService(call?: ForwardableCall): CallOptions {
  return call === undefined ? {} : optionsOf(call, commonHeaders(call));
}

function optionsOf(call: ForwardableCall, headers: Record<string, string>): CallOptions {
  return {
    headers,
    // 0 would mean "no timeout" to Connect, and this one is over.
    timeoutMs: call.deadline === undefined ? undefined : Math.max(1, Math.ceil(call.deadline.remainingMs())),
    contextValues: createContextValues().set(forwardedCallKey, call),
  };
}

const UNPRINTABLE_PATTERN = /[^\x20-\x7e]/g;

function commonHeaders(call: ForwardableCall): Record<string, string> {
  const headers: Record<string, string> = { [clientHeaders.requestId]: call.requestId };
  if (call.ipAddress) headers[clientHeaders.ipAddress] = printable(call.ipAddress);
  if (call.userAgent) headers[clientHeaders.userAgent] = printable(call.userAgent);
  if (call.deviceId) headers[clientHeaders.deviceId] = printable(call.deviceId);
  return Object.assign(headers, traceparentOf(call.traceId));
}

/** What came in as a header may hold bytes that must not go out as one. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE_PATTERN, '?');
}

const SPAN_ID_BYTES = 8;

/**
 * Without the SDK the trace still goes on, so that logs of all processes can be put together. With it the HTTP client's
 * instrumentation adds the header of the active span, and two of them would be none.
 */
function traceparentOf(traceId: string | undefined): Record<string, string> {
  if (traceId === undefined || traceparent() !== undefined) return {};
  return { traceparent: `00-${traceId}-${randomBytes(SPAN_ID_BYTES).toString('hex')}-00` };
}
