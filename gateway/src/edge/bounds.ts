import type { IncomingMessage } from 'node:http';
import { commonErrors } from '@strongroom/platform/errors';
import { gatewayErrors } from '../errors.ts';

/** S6.3, ASVS V4.2.5. */
export const URL_MAX_BYTES = 8_192;
export const HEADERS_MAX_BYTES = 16_384;
export const HEADERS_MAX_COUNT = 100;
/**
 * What Node's parser takes, request line included: room for both bounds above, so that each is told with its own status.
 * Beyond it the parser itself refuses, and client-error.ts answers.
 */
export const PARSER_MAX_BYTES = URL_MAX_BYTES + HEADERS_MAX_BYTES + 2_048;

/** RFC 3986 authority without userinfo; enough to keep anything else out of links and logs. */
const hostPattern = /^(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const bytesPerSeparator = 4; // ": " and the line break

/** Refuses a head that is too large or that two servers could read in two ways (ASVS V4.2.1). */
export function checkHead(request: IncomingMessage, url: string): void {
  if (url.length > URL_MAX_BYTES) throw gatewayErrors.URI_TOO_LONG();
  const { rawHeaders } = request;
  let bytes = 0;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    bytes += name.length + (rawHeaders[index + 1] as string).length + bytesPerSeparator;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (bytes > HEADERS_MAX_BYTES || rawHeaders.length > 2 * HEADERS_MAX_COUNT) throw gatewayErrors.HEADERS_TOO_LARGE();
  checkHost(request, hosts);
  checkFraming(request);
}

/** RFC 9112, 3.2: exactly one Host field, and a valid one. */
function checkHost(request: IncomingMessage, count: number): void {
  const host = request.headers.host ?? request.headers[':authority'];
  const isRequired = request.httpVersionMajor > 1 || request.httpVersionMinor === 1;
  if (count > 1 || (isRequired && host === undefined) || (typeof host === 'string' && !hostPattern.test(host))) {
    throw commonErrors.MALFORMED_REQUEST();
  }
}

function checkFraming(request: IncomingMessage): void {
  const coding = request.headers['transfer-encoding'];
  // Codings other than chunked would reach us undecoded.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw commonErrors.UNSUPPORTED_ENCODING();
  const encoding = request.headers['content-encoding'];
  // No decompression at the edge, and so no bomb (S6.3).
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw commonErrors.UNSUPPORTED_ENCODING();
  const hasBody = coding !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  // RFC 9110, 9.3.1: content in a GET has no meaning, and is a known means of smuggling.
  if (hasBody && (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS')) {
    throw commonErrors.MALFORMED_REQUEST();
  }
}
