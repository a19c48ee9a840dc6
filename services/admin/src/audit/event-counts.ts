import type { AuditEvent } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import type { Metrics } from '@strongroom/platform/telemetry';
import { isMassWrite, isPastServices } from '../anomaly/anomaly-rules.ts';
import { parkReasons } from './audit-event.ts';

/** Of what was no event, or of an event that the log refused each time. */
const parkLabels = [...parkReasons, 'REFUSED'] as const;
const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;

/** Begins the series that alerts wait for: Prometheus sees no increase in one that begins above zero. */
export function beginEventCounts(metrics: Metrics): void {
  for (const reason of parkLabels) metrics.add('audit_events_parked_total', 0, { reason });
  for (const operation of operations) {
    metrics.add('audit_bulk_writes_total', 0, { operation });
    metrics.add('audit_actorless_writes_total', 0, { operation });
  }
}

export function countParked(metrics: Metrics, reason: string): void {
  metrics.increment('audit_events_parked_total', { reason: parkLabels.find((known) => known === reason) ?? 'REFUSED' });
}

/** Counts an event that entered the log, and apart from it what S4.4 warns of. */
export function countEvent(metrics: Metrics, { action, source, actorKind, details }: AuditEvent): void {
  metrics.increment('audit_events_ingested_total', { source });
  const operation = operations.find((known) => known === details['operation']);
  if (action !== 'DB_WRITE' || operation === undefined) return;
  if (isMassWrite({ operation, rows: Number(details['rows'] ?? 0) })) {
    metrics.increment('audit_bulk_writes_total', { operation });
  }
  if (isPastServices({ actorKind, databaseRole: details['databaseRole'] ?? '' })) {
    metrics.increment('audit_actorless_writes_total', { operation });
  }
}
