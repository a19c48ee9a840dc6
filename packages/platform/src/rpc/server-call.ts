import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { trace } from '@opentelemetry/api';
import { Audience, type MethodPolicy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { type Call, createDeadline, type Deadline, type Principal } from './call.ts';
import { clientTimeoutMs } from './timeout.ts';

/** Headers that tell about the person behind a call; see believesFacts for whose count. */
export const clientHeaders = {
  ipAddress: 'x-strongroom-client-ip',
  userAgent: 'x-strongroom-client-agent',
  deviceId: 'x-strongroom-device-id',
  requestId: 'x-strongroom-request-id',
  provenKey: 'x-strongroom-proven-key',
} as const;

/** The service whose callers are people. */
const edgeName = 'gateway';
const HEADER_VALUE_MAX_CHARACTERS = 512;
const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{8,128}$/;
const TRACEPARENT_PATTERN = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/; // W3C Trace Context, 3.2
const TRACE_ID_INVALID = '0'.repeat(32);

export interface CallOrigin {
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** Name out of the verified client certificate; undefined on a connection in clear. */
  readonly caller: string | undefined;
}

export type AbortListener = (reason: ConnectError) => void;

/** The call as the server builds it up, step by step; use cases see it as `Call`. */
export class ServerCall implements Call {
  readonly requestId: string;
  readonly traceId: string;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly deviceId: string;
  readonly provenKey: string | undefined;
  readonly caller: string | undefined;
  readonly deadline: Deadline;
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
  readonly headers: IncomingHttpHeaders;
  readonly startMs = performance.now();
  principal: Principal | undefined;
  accessToken: string | undefined;
  idempotencyKey: string | undefined;
  /** The error that the stock implementation answers with. */
  failure: ConnectError | undefined;
  /** Set once the answer is known; for the log line and the metrics. */
  outcome: ConnectError | 'ok' | undefined;
  /** Whether the request got as far as an interceptor, so that a later error is not the protocol's own. */
  decoded = false;
  #abortReason: ConnectError | undefined;
  #controller: AbortController | undefined;
  readonly #abortListeners = new Set<AbortListener>();
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(method: DescMethod, policy: MethodPolicy, origin: CallOrigin) {
    const { headers, caller } = origin;
    const believed = believesFacts(policy, origin) ? headers : undefined;
    this.method = method;
    this.policy = policy;
    this.headers = headers;
    this.caller = caller;
    this.requestId = requestIdOf(caller === undefined ? undefined : headers[clientHeaders.requestId]);
    this.traceId = traceIdOf(headers);
    this.ipAddress = textOf(believed?.[clientHeaders.ipAddress]) ?? plainAddress(origin.remoteAddress);
    this.userAgent = textOf(believed?.[clientHeaders.userAgent]) ?? textOf(headers['user-agent']) ?? '';
    this.deviceId = textOf(believed?.[clientHeaders.deviceId]) ?? '';
    this.provenKey = textOf(believed?.[clientHeaders.provenKey]);
    this.deadline = createDeadline(Math.min(policy.deadlineMs, clientTimeoutMs(headers)));
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get abortReason(): ConnectError | undefined {
    return this.#abortReason;
  }

  /** Ends the call from outside: the deadline is over, or the caller has gone. */
  abort(reason: ConnectError): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#abortListeners) listener(reason);
    this.#abortListeners.clear();
  }

  /** Like the signal's event, without making a signal; answers a function that takes the listener off. */
  onAbort(listener: AbortListener): () => void {
    if (this.#abortReason === undefined) this.#abortListeners.add(listener);
    else listener(this.#abortReason);
    return () => this.#abortListeners.delete(listener);
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= headersFromNode(this.headers);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The headers that a use case has set, without making any where it hasn't touched them. */
  get touchedResponse(): { header: Headers | undefined; trailer: Headers | undefined } {
    return { header: this.#responseHeader, trailer: this.#responseTrailer };
  }

  /** Lets the use case write to the headers of a handler of Connect's own. */
  adoptResponse(header: Headers, trailer: Headers): void {
    this.#responseHeader = header;
    this.#responseTrailer = trailer;
  }
}

/**
 * The edge tells where people come from. Another service may say it again where it passes on a person's token, or calls
 * a method that the contract opens to it. A public method is for the edge alone: a service that was broken into must not
 * guess passwords under addresses of its choice, past the limits.
 */
function believesFacts({ access }: MethodPolicy, { caller, headers }: CallOrigin): boolean {
  if (caller === undefined || caller === edgeName) return caller === edgeName;
  switch (access?.audience) {
    case Audience.INTERNAL:
      return access.callers.includes(caller);
    case Audience.SIGNED_IN:
    case Audience.ROLES:
      return headers.authorization !== undefined;
    default:
      return false;
  }
}

/** `::ffff:127.0.0.1` is how a dual-stack socket spells an IPv4 peer. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

function headersFromNode(nodeHeaders: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(nodeHeaders)) {
    if (value === undefined || name.startsWith(':')) continue;
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else headers.append(name, value);
  }
  return headers;
}

function textOf(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text === '' ? undefined : text.slice(0, HEADER_VALUE_MAX_CHARACTERS);
}

function requestIdOf(value: string | string[] | undefined): string {
  const text = textOf(value);
  return text !== undefined && REQUEST_ID_PATTERN.test(text) ? text : randomUUID();
}

function traceIdOf(headers: IncomingHttpHeaders): string {
  const active = trace.getActiveSpan()?.spanContext().traceId;
  if (active !== undefined && active !== TRACE_ID_INVALID) return active;
  const received = TRACEPARENT_PATTERN.exec(textOf(headers['traceparent']) ?? '')?.[1];
  if (received !== undefined && received !== TRACE_ID_INVALID) return received;
  return randomUUID().replaceAll('-', '');
}
