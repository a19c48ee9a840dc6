import type { AuditEvent } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import type { Metrics } from '@strongroom/platform/telemetry';
import { massRowsMin } from '../anomaly/anomaly-rules.ts';

const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;

/** Begins the series that alerts wait for: Prometheus sees no increase in one that begins above zero. */
export function beginEventCounts(metrics: Metrics): void {
  for (const operation of operations) {
    metrics.add('audit_bulk_writes_total', 0, { operation });
    metrics.add('audit_actorless_writes_total', 0, { operation });
  }
}

/** Counts an event that entered the log, and apart from it what S4.4 warns of. */
export function countEvent(metrics: Metrics, { action, source, actorKind, details }: AuditEvent): void {
  metrics.increment('audit_events_ingested_total', { source });
  const operation = operations.find((known) => known === details['operation']);
  if (action !== 'DB_WRITE' || operation === undefined) return;
  if (Number(details['rows'] ?? 0) >= massRowsMin) metrics.increment('audit_bulk_writes_total', { operation });
  // The trigger says `database` where no transaction of ours named an actor.
  if (actorKind === 'database') metrics.increment('audit_actorless_writes_total', { operation });
}
