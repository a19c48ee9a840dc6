import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@strongroom/gen/google/rpc/error_details_pb.ts';

/** One rule that one field breaks; the field by its proto path, such as `amount.minor_units`. */
export interface Violation {
  readonly field: string;
  readonly message: string;
}

/** What an error of the API says: its catalogued reason, and what a person can do about it. */
export interface ServiceError {
  readonly reason: string;
  readonly message: string;
  readonly code: Code;
  /** never, now, after or new-key, as the catalogue has it; reconnect for a broken connection; else undefined. */
  readonly retry: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly violations: readonly Violation[];
  readonly conditions: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

const millisecondsPerSecond = 1000;
const nanosecondsPerMillisecond = 1_000_000;

/** Reads whatever was thrown by a call; a failure of the network is an error without a reason of ours. */
export function readServiceError(thrown: unknown): ServiceError {
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema)[0];
  // How fetch tells that there was no answer.
  const isUnreachable = error.cause instanceof TypeError;
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    reason: info?.reason ?? `CONNECT_${Code[error.code].toUpperCase()}`,
    message: isUnreachable ? 'The server can’t be reached.' : error.rawMessage,
    code: error.code,
    retry: isUnreachable ? 'reconnect' : info?.metadata['retry'],
    retryAfterMs:
      delay === undefined
        ? undefined
        : Number(delay.seconds) * millisecondsPerSecond + delay.nanos / nanosecondsPerMillisecond,
    requestId: error.metadata.get('x-request-id') ?? undefined,
    violations: error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations)
      .map(({ field, description }) => ({ field, message: description })),
    conditions: error
      .findDetails(PreconditionFailureSchema)
      .flatMap(({ violations }) => violations)
      .map(({ description }) => description),
    metadata: info?.metadata ?? {},
  };
}

/** Whether what was thrown is one of the catalogue with one of these reasons. */
export function hasReason(thrown: unknown, ...reasons: readonly string[]): boolean {
  return thrown instanceof ConnectError && reasons.includes(readServiceError(thrown).reason);
}
