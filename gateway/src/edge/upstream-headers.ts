import { clientHeaders } from '@strongroom/platform/rpc';
import { traceparent } from '@strongroom/platform/telemetry';
import type { FastifyRequest } from 'fastify';

/**
 * What a service learns of the person behind a call. Made anew for each call: nothing that a client sends under these
 * names, or as X-User-Id, X-Role or x-internal-*, gets past the edge (ASVS V4.1.3).
 */
export function upstreamHeaders(request: FastifyRequest): Record<string, string> {
  const { edge, headers } = request;
  const made: Record<string, string> = {
    [clientHeaders.ipAddress]: edge.clientAddress,
    [clientHeaders.requestId]: request.id,
  };
  // With the SDK the HTTP client's instrumentation adds the active span's, and two would be none; without it the trace goes on.
  if (traceparent() === undefined) made['traceparent'] = edge.traceparent;
  if (edge.userAgent !== '') made[clientHeaders.userAgent] = edge.userAgent;
  if (edge.deviceId !== '') made[clientHeaders.deviceId] = edge.deviceId;
  if (edge.provenKey !== undefined) made[clientHeaders.provenKey] = edge.provenKey;
  copy(headers, 'authorization', made);
  copy(headers, 'idempotency-key', made);
  // Auth binds tokens to the key of a proof at sign-in and refresh (RFC 9449, 5).
  copy(headers, 'dpop', made);
  return made;
}

function copy(from: FastifyRequest['headers'], name: string, to: Record<string, string>): void {
  const value = from[name];
  if (typeof value === 'string') to[name] = value;
}
