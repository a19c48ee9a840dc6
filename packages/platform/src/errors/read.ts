import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@strongroom/gen/google/rpc/error_details_pb.ts';
import { catalogueEntry, entryOf } from './catalogue.ts';
import { commonErrors } from './common.ts';
import type { Precondition, Retry, Violation } from './definition.ts';
import { durationToMilliseconds } from './details.ts';

/** What a service's error says, read at the other end of the wire or on this one. */
export interface ServiceError {
  readonly reason: string;
  readonly domain: string;
  readonly code: Code;
  readonly message: string;
  readonly status: number;
  readonly retry: Retry;
  readonly retryAfterMs?: number;
  readonly violations: readonly Violation[];
  readonly preconditions: readonly Precondition[];
  /** Metadata of ErrorInfo, without what stands above. */
  readonly metadata: Readonly<Record<string, string>>;
}

const DOMAIN_PATTERN = /^(?:[a-z]+\.)?strongroom$/;
const RETRIES: ReadonlySet<string> = new Set<Retry>(['never', 'now', 'after', 'new-key']);
const STATUS_PATTERN = /^[45]\d\d$/;

/** Reads the details of an error of ours; undefined for an error of anyone else, and for one that is not whole. */
export function readServiceError(error: unknown): ServiceError | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const info = error.findDetails(ErrorInfoSchema)[0];
  if (info === undefined || !DOMAIN_PATTERN.test(info.domain)) return undefined;
  const { status, retry, retryAfterMs, ...metadata } = info.metadata;
  if (status === undefined || !STATUS_PATTERN.test(status)) return undefined;
  if (retry === undefined || !RETRIES.has(retry)) return undefined;
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    reason: info.reason,
    domain: info.domain,
    code: error.code,
    message: error.rawMessage,
    status: Number(status),
    retry: retry as Retry,
    retryAfterMs: delay === undefined ? undefined : durationToMilliseconds(delay),
    violations: error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) =>
        fieldViolations.map(({ field, reason, description }) => ({ field, rule: reason, message: description })),
      ),
    preconditions: error
      .findDetails(PreconditionFailureSchema)
      .flatMap(({ violations }) =>
        violations.map(({ type, subject, description }) => ({ type, subject, description })),
      ),
    metadata,
  };
}

/** Whether the error is one of ours and, if reasons are given, has one of them. Works on both ends of a call. */
export function isServiceError(error: unknown, ...reasons: string[]): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  const reason = entryOf(error)?.reason ?? readServiceError(error)?.reason;
  return reason !== undefined && (reasons.length === 0 || reasons.includes(reason));
}

/** The level at which the answer is logged: the catalogue's where the error is known here, else by its status. */
export function levelOf(error: ConnectError): 'debug' | 'info' | 'warn' | 'error' {
  const entry = entryOf(error);
  if (entry !== undefined) return entry.level;
  const read = readServiceError(error);
  if (read === undefined) return 'error';
  return catalogueEntry(read.domain, read.reason)?.level ?? (read.status >= 500 ? 'warn' : 'info');
}

/** Whether it goes on record where it was thrown: see ErrorDefinition. */
export function isRefusal(error: ConnectError): boolean {
  return error.code === Code.PermissionDenied || entryOf(error)?.isRefusal === true;
}

/**
 * The error as it may leave the process. One of ours stays as it is, also when it came from a service behind this one;
 * one that Connect made itself gets the reason of its code; anything else is INTERNAL, with the cause for the log alone:
 * ConnectError.from would send its message (measured.md, Transport).
 */
export function toConnectError(error: unknown): ConnectError {
  if (!(error instanceof ConnectError)) return commonErrors.INTERNAL({ cause: error });
  if (entryOf(error) !== undefined || readServiceError(error) !== undefined) return error;
  return ofCode(error);
}

function ofCode(error: ConnectError): ConnectError {
  const options = { cause: error };
  switch (error.code) {
    case Code.Unavailable:
      return commonErrors.UNAVAILABLE(options);
    case Code.DeadlineExceeded:
      return commonErrors.DEADLINE_EXCEEDED(options);
    case Code.Canceled:
      return commonErrors.CANCELED(options);
    default:
      return commonErrors.INTERNAL(options);
  }
}

/**
 * The same for an error of the protocol's own code on the receiving end (a body that can't be decoded, a size, an
 * encoding): there a code of the caller's fault really is the caller's.
 */
export function protocolErrorToConnectError(error: unknown): ConnectError {
  if (!(error instanceof ConnectError) || entryOf(error) !== undefined) return toConnectError(error);
  const options = { cause: error };
  switch (error.code) {
    case Code.InvalidArgument:
      return commonErrors.MALFORMED_REQUEST(options);
    case Code.ResourceExhausted:
      return commonErrors.BODY_TOO_LARGE(options);
    case Code.Unimplemented:
      return commonErrors.UNSUPPORTED_ENCODING(options);
    default:
      return toConnectError(error);
  }
}
