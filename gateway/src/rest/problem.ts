import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import {
  commonErrors,
  type Retry,
  readServiceError,
  type ServiceError,
  toConnectError,
} from '@strongroom/platform/errors';
import { RestRequestError } from '@strongroom/rest';
import { gatewayErrors } from '../errors.ts';

/** RFC 9457, with what a program needs to go on: a catalogued code, retry advice, the faults field by field (B-errors). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly requestId: string;
  readonly retry: Retry;
  readonly errors: readonly { readonly field: string; readonly rule: string; readonly message: string }[];
  /** What else the error says, such as the assurance that a step-up must reach; the metadata of its google.rpc.ErrorInfo. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export const problemMediaType = 'application/problem+json; charset=utf-8';

/** The answer to an error: body and the header fields that belong to it. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

export function problemFromError(error: unknown, requestId: string): ProblemAnswer {
  const fault = serviceErrorFrom(error);
  return { problem: problemFromServiceError(fault, requestId), headers: headersFromServiceError(fault) };
}

/** What any error says in the words of the catalogue; what isn't catalogued says INTERNAL and nothing else. */
export function serviceErrorFrom(error: unknown): ServiceError {
  const fault = readServiceError(toConnectError(edgeError(error)));
  if (fault === undefined) throw new Error('toConnectError gave an error without a reason');
  return fault;
}

/** Errors that arise at the edge itself: of the transcoder and of Fastify. */
export function edgeError(error: unknown): unknown {
  if (error instanceof RestRequestError) return errorFromTranscoder(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
      return commonErrors.UNSUPPORTED_MEDIA_TYPE();
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return commonErrors.BODY_TOO_LARGE();
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'ECONNRESET':
    case 'ABORT_ERR':
      return commonErrors.MALFORMED_REQUEST();
    case 'FST_ERR_NOT_FOUND':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return gatewayErrors.ROUTE_NOT_FOUND();
    default:
      return errorFromStatus(error);
  }
}

/** Plugins of Fastify say what is wrong by a status alone. A client's fault stays one (B-errors). */
function errorFromStatus(error: unknown): unknown {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
  if (status === 404) return gatewayErrors.ROUTE_NOT_FOUND();
  return status >= 400 && status < 500 ? commonErrors.MALFORMED_REQUEST({ cause: error }) : error;
}

function errorFromTranscoder(error: RestRequestError): unknown {
  const { violations } = error;
  switch (error.reason) {
    case 'UNSUPPORTED_MEDIA_TYPE':
      return commonErrors.UNSUPPORTED_MEDIA_TYPE({ violations });
    case 'MALFORMED_BODY':
      return commonErrors.MALFORMED_REQUEST({ violations });
    default:
      return commonErrors.VALIDATION_FAILED({ violations });
  }
}

function problemFromServiceError(fault: ServiceError, requestId: string): Problem {
  return {
    type: `urn:strongroom:problem:${fault.reason.toLowerCase().replaceAll('_', '-')}`,
    title: titleFromReason(fault.reason),
    status: fault.status,
    detail: fault.message,
    instance: `urn:strongroom:request:${requestId}`,
    code: fault.reason,
    requestId,
    retry: fault.retry,
    // Services name fields as the .proto does; JSON has them in lowerCamelCase.
    errors: fault.violations.map(({ field, rule, message }) => ({ field: jsonPath(field), rule, message })),
    ...(Object.keys(fault.metadata).length > 0 ? { metadata: fault.metadata } : {}),
  };
}

function titleFromReason(reason: string): string {
  const words = reason.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function jsonPath(field: string): string {
  return field.split('.').map(protoCamelCase).join('.');
}

const RETRY_AFTER_MIN_S = 1;

function headersFromServiceError(fault: ServiceError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (fault.retryAfterMs !== undefined || fault.retry === 'after') {
    const seconds = Math.ceil((fault.retryAfterMs ?? 0) / 1000);
    headers['retry-after'] = String(Math.max(RETRY_AFTER_MIN_S, seconds));
  }
  if (fault.status === 401) {
    headers['www-authenticate'] = challengeFor(fault.reason);
  }
  if (fault.reason === commonErrors.STEP_UP_REQUIRED.reason) {
    // RFC 9470, 3.
    headers['www-authenticate'] = 'Bearer realm="strongroom", error="insufficient_user_authentication"';
  }
  if (fault.reason === commonErrors.UNSUPPORTED_ENCODING.reason) {
    // RFC 9110, 12.5.3: what a request may be encoded with.
    headers['accept-encoding'] = 'identity';
  }
  return headers;
}

/** RFC 6750, 3: a request without a token learns the scheme alone. */
function challengeFor(reason: string): string {
  if (reason === commonErrors.DPOP_PROOF_INVALID.reason) {
    return 'DPoP realm="strongroom", error="invalid_dpop_proof", algs="ES256 EdDSA"';
  }
  return reason.startsWith('TOKEN_') ? 'Bearer realm="strongroom", error="invalid_token"' : 'Bearer realm="strongroom"';
}
