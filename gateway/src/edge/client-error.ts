import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { commonErrors } from '@strongroom/platform/errors';
import type { Metrics } from '@strongroom/platform/telemetry';
import { gatewayErrors } from '../errors.ts';
import { problemFromError, problemMediaType } from '../rest/problem.ts';
import { URL_MAX_BYTES } from './bounds.ts';
import { rawSecurityHeaders } from './security-headers.ts';

type ParserError = Error & { code?: string; rawPacket?: Buffer };

/** Answers what Node's HTTP parser refuses, which no hook of Fastify ever sees (B-errors). */
export function createClientErrorHandler(metrics: Metrics): (error: ParserError, socket: Socket) => void {
  const answered = new WeakSet<Socket>();
  return (error, socket) => {
    // What still arrives after a refusal is refused by the parser again, and runs dry.
    if (answered.has(socket)) return;
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    answered.add(socket);
    const fault = faultFromParser(error);
    metrics.increment('http_requests_refused_total', { reason: fault.reason });
    writeRawProblem(socket, fault.error);
  };
}

interface ParserFault {
  readonly reason: string;
  readonly error: Error;
  readonly headers?: Record<string, string>;
}

function faultFromParser(error: ParserError): ParserFault {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return isLongUrl(error.rawPacket)
        ? { reason: 'URI_TOO_LONG', error: gatewayErrors.URI_TOO_LONG() }
        : { reason: 'HEADERS_TOO_LARGE', error: gatewayErrors.HEADERS_TOO_LARGE() };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { reason: 'REQUEST_TIMEOUT', error: gatewayErrors.REQUEST_TIMEOUT() };
    default:
      return { reason: 'MALFORMED_REQUEST', error: commonErrors.MALFORMED_REQUEST() };
  }
}

/** Whether the request line alone is over the bound: then the address is at fault, and not the fields. */
function isLongUrl(packet: Buffer | undefined): boolean {
  if (packet === undefined) return false;
  const end = packet.indexOf('\r\n');
  const line = packet.subarray(0, end < 0 ? packet.length : end);
  return line.length > URL_MAX_BYTES && /^[A-Z]+ \S*$/.test(line.subarray(0, URL_MAX_BYTES).toString('latin1'));
}

/** Closing at once would reset the connection while the client is still sending, and the answer with it. */
const LINGER_MS = 1_000;

/** A whole answer, written by hand, after which the connection is closed: where the next request begins is unknown. */
export function writeRawProblem(socket: Duplex, error: Error, extra: Readonly<Record<string, string>> = {}): void {
  const requestId = randomUUID();
  const { problem, headers } = problemFromError(error, requestId);
  const body = JSON.stringify(problem);
  const fields: Record<string, string> = {
    ...rawSecurityHeaders,
    ...headers,
    ...extra,
    'content-type': problemMediaType,
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    date: new Date().toUTCString(),
    connection: 'close',
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${head.join('')}\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
