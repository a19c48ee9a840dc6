import type { ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { levelOf, readServiceError } from '../errors/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { ServerCall } from './server-call.ts';

export interface OutcomeOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
}

const MILLISECONDS_PER_SECOND = 1_000;
const DENIALS: ReadonlySet<string> = new Set(['FORBIDDEN', 'STEP_UP_REQUIRED', 'PASSWORD_CHANGE_REQUIRED']);

/** One log line and the metrics of a call. Ids only: no address, agent, name or text of anyone (S6.2). */
export function recordOutcome(options: OutcomeOptions, call: ServerCall, outcome: ConnectError | 'ok'): void {
  const { name: service, logger, metrics } = options;
  const method = call.method.name;
  const durationMs = performance.now() - call.startMs;
  const code = outcome === 'ok' ? 'ok' : codeToString(outcome.code);
  metrics?.increment('rpc_server_requests_total', { service, method, code });
  metrics?.observe('rpc_server_duration_seconds', durationMs / MILLISECONDS_PER_SECOND, { service, method });
  const level = outcome === 'ok' ? 'debug' : levelOf(outcome);
  const reason = outcome === 'ok' ? undefined : readServiceError(outcome)?.reason;
  if (reason !== undefined) countReason(options, method, reason);
  if (!logger.isLevelEnabled(level)) return;
  // The cause of a caller's own fault may quote what the caller sent.
  logger[level](
    {
      method: `${call.method.parent.typeName}/${method}`,
      code,
      reason,
      durationMs: Math.round(durationMs * 10) / 10,
      requestId: call.requestId,
      trace_id: call.traceId,
      caller: call.caller,
      userId: call.principal?.userId,
      err: outcome !== 'ok' && (level === 'warn' || level === 'error') ? outcome.cause : undefined,
    },
    outcome === 'ok' ? 'call answered' : 'call failed',
  );
}

function countReason({ name: service, metrics }: OutcomeOptions, method: string, reason: string): void {
  if (DENIALS.has(reason)) metrics?.increment('authorization_denied_total', { service, method, reason });
  if (reason === 'VALIDATION_FAILED') metrics?.increment('validation_failures_total', { service, method });
  if (reason === 'CARD_NUMBER_NOT_ALLOWED') metrics?.increment('card_number_refused_total', { service });
}
