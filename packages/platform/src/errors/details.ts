import { create } from '@bufbuild/protobuf';
import { type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import type { ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@strongroom/gen/google/rpc/error_details_pb.ts';
import type { CatalogueEntry, ErrorOptions } from './definition.ts';

type OutgoingDetails = NonNullable<ConstructorParameters<typeof ConnectError>[3]>;

const MILLISECONDS_PER_SECOND = 1000;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;

export function errorDetails(entry: CatalogueEntry, options: ErrorOptions): OutgoingDetails {
  const metadata: Record<string, string> = {
    ...options.metadata,
    status: String(entry.status),
    retry: entry.retry,
  };
  const details: OutgoingDetails = [];
  if (options.retryAfterMs !== undefined) metadata['retryAfterMs'] = String(Math.ceil(options.retryAfterMs));
  details.push({ desc: ErrorInfoSchema, value: { reason: entry.reason, domain: entry.domain, metadata } });
  if (options.violations !== undefined && options.violations.length > 0) {
    const fieldViolations = options.violations.map(({ field, rule, message }) => ({
      field,
      reason: rule,
      description: message,
    }));
    details.push({ desc: BadRequestSchema, value: { fieldViolations } });
  }
  if (options.preconditions !== undefined && options.preconditions.length > 0) {
    const violations = options.preconditions.map(({ type, subject, description }) => ({ type, subject, description }));
    details.push({ desc: PreconditionFailureSchema, value: { violations } });
  }
  if (options.retryAfterMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: millisecondsToDuration(options.retryAfterMs) } });
  }
  if (options.details !== undefined) details.push(...options.details);
  return details;
}

export function durationToMilliseconds(duration: Duration): number {
  return Number(duration.seconds) * MILLISECONDS_PER_SECOND + duration.nanos / NANOSECONDS_PER_MILLISECOND;
}

function millisecondsToDuration(milliseconds: number): Duration {
  const whole = Math.max(0, Math.ceil(milliseconds));
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(whole / MILLISECONDS_PER_SECOND)),
    nanos: (whole % MILLISECONDS_PER_SECOND) * NANOSECONDS_PER_MILLISECOND,
  });
}
