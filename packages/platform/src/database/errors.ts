import { ConnectError } from '@connectrpc/connect';
import { commonErrors } from '../errors/index.ts';
import type { Deadline } from '../telemetry/context.ts';

const causesMax = 8;
const retryAfterMs = 1_000;

/** Codes of postgres.js and of sockets: the connection isn't there. */
const connectionCodes: ReadonlySet<string> = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);
const serializationFailure = '40001';
const deadlock = '40P01';
const queryCanceled = '57014';
const lockNotAvailable = '55P03';
const readOnlyTransaction = '25006';
const idleInTransactionTimeout = '25P03';
/** Classes: connection, insufficient resources (disk full, too many connections), operator, system error. */
const unavailableClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

/** The SQLSTATE of an error of PostgreSQL, also inside drizzle's: 23505 for a unique violation, for example. */
export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !connectionCodes.has(code) ? code : undefined;
}

/** The constraint that a write broke. */
export function violatedConstraint(error: unknown): string | undefined {
  return findInCauses(error, 'constraint_name');
}

export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return sqlState(error) === '23505' && (constraint === undefined || violatedConstraint(error) === constraint);
}

/** Serialization failures and deadlocks: the transaction may succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === serializationFailure || state === deadlock;
}

/**
 * What the caller is told: UNAVAILABLE for what passes by itself, DEADLINE_EXCEEDED for a statement cancelled because
 * the time was over. Anything else is the caller's or a fault of ours, and stays as it is.
 */
export function toCallerError(error: unknown, deadline: Deadline | undefined): unknown {
  const known = findConnectError(error);
  if (known !== undefined) return known;
  const code = errorCode(error);
  if (code === undefined) return error;
  if (code === queryCanceled && deadline !== undefined && deadline.remainingMs() <= 0) {
    return commonErrors.DEADLINE_EXCEEDED({ cause: error });
  }
  const isUnavailable =
    connectionCodes.has(code) ||
    endsSession(error) ||
    isRetryable(error) ||
    code === lockNotAvailable ||
    code === readOnlyTransaction ||
    code === idleInTransactionTimeout ||
    (/^[0-9A-Z]{5}$/.test(code) && unavailableClasses.has(code.slice(0, 2)));
  return isUnavailable ? commonErrors.UNAVAILABLE({ cause: error, retryAfterMs }) : error;
}

/** PostgreSQL ends or refuses the connection with FATAL, whatever the code: a wrong password, a database closed for repair. */
function endsSession(error: unknown): boolean {
  return findInCauses(error, 'severity') === 'FATAL';
}

function findConnectError(error: unknown): ConnectError | undefined {
  for (const each of causes(error)) if (each instanceof ConnectError) return each;
  return undefined;
}

function errorCode(error: unknown): string | undefined {
  return findInCauses(error, 'code');
}

function findInCauses(error: unknown, property: string): string | undefined {
  for (const each of causes(error)) {
    const value = (each as unknown as Record<string, unknown>)[property];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; depth < causesMax && current instanceof Error; depth += 1) {
    yield current;
    current = current.cause;
  }
}
