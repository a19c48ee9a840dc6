import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { traceIdOf, traceparent } from '@strongroom/platform/telemetry';
import type { FastifyRequest } from 'fastify';
import type { EdgeRequest } from './edge-request.ts';

const absoluteForm = /^https?:\/\/[^/?#]*/i;
const devicePattern = /^[A-Za-z0-9._-]{1,128}$/;
const userAgentMaxCharacters = 512;

/** Reads the facts of a request once. */
export function factsFromRequest(request: FastifyRequest, url: string): EdgeRequest {
  // RFC 9112, 3.2.2: a server must take the absolute form too.
  const target = url.replace(absoluteForm, '');
  const mark = target.indexOf('?');
  const { traceparent, traceId } = traceFromRequest(request);
  return {
    startMs: performance.now(),
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    clientAddress: clientAddressOf(request),
    userAgent: printable((request.headers['user-agent'] ?? '').slice(0, userAgentMaxCharacters)),
    deviceId: deviceIdOf(request),
    traceparent,
    traceId,
    match: undefined,
    routeLabel: 'unmatched',
    userId: undefined,
    encoding: undefined,
    errorCode: undefined,
    provenKey: undefined,
  };
}

/**
 * Fastify reads X-Forwarded-For only behind TRUSTED_PROXIES (S1.1c, ASVS V4.1.3). What stands there must still be an
 * address: a proxy may hand on what its own client wrote.
 */
function clientAddressOf(request: FastifyRequest): string {
  const address = plainAddress(request.ip);
  return isIP(address) === 0 ? plainAddress(request.socket.remoteAddress ?? '') : address;
}

/** `::ffff:127.0.0.1` is how a dual-stack socket spells an IPv4 peer. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** What came in as a header may hold bytes that must not go out as one. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** What a client says of its device is a hint for the services, bounded here. */
function deviceIdOf(request: FastifyRequest): string {
  const value = request.headers['x-device-id'];
  return typeof value === 'string' && devicePattern.test(value) ? value : '';
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * The active span's, which goes on with the caller's trace. Without the SDK a valid traceparent is the one thing taken from
 * outside; a malformed one starts a new trace (W3C Trace Context).
 */
function traceFromRequest(request: FastifyRequest): { traceparent: string; traceId: string } {
  const known = traceparent() ?? request.headers['traceparent'];
  const knownId = typeof known === 'string' ? traceIdOf({ traceparent: known }) : undefined;
  if (knownId !== undefined) return { traceparent: known as string, traceId: knownId };
  const traceId = randomBytes(TRACE_ID_BYTES).toString('hex');
  return { traceparent: `00-${traceId}-${randomBytes(SPAN_ID_BYTES).toString('hex')}-00`, traceId };
}
