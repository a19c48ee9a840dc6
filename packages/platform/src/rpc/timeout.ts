import type { IncomingHttpHeaders } from 'node:http';

const CONNECT_TIMEOUT_PATTERN = /^\d{1,10}$/;
const GRPC_TIMEOUT_PATTERN = /^(\d{1,8})([HMSmun])$/;
const GRPC_UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * The time that the caller gives the call, by the header of its protocol; Infinity if it gives none or an unreadable
 * one, which the protocol's own code refuses.
 */
export function clientTimeoutMs(headers: IncomingHttpHeaders): number {
  const connect = headers['connect-timeout-ms'];
  if (typeof connect === 'string' && CONNECT_TIMEOUT_PATTERN.test(connect)) return Number(connect);
  const grpc = headers['grpc-timeout'];
  const match = typeof grpc === 'string' ? GRPC_TIMEOUT_PATTERN.exec(grpc) : null;
  if (match === null) return Number.POSITIVE_INFINITY;
  return Number(match[1]) * (GRPC_UNITS_MS[match[2] ?? ''] ?? Number.POSITIVE_INFINITY);
}

export function isConnectTimeout(value: string): boolean {
  return CONNECT_TIMEOUT_PATTERN.test(value);
}
