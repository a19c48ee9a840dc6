import { type AuditRecord, recordToCanonicalJson } from '@strongroom/tlog';
import type { RetentionClass } from './retention.ts';

/**
 * A record as the log stores it: every column but the position and the salt. Texts are empty where there is nothing, times
 * are RFC 3339 in UTC with microseconds, sealed parts are the ciphertext (B-erase).
 */
export interface StoredRecord {
  readonly eventId: string;
  readonly retentionClass: RetentionClass;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly actorId: string;
  readonly actorKind: string;
  readonly actorName: string;
  readonly subjectId: string;
  readonly deviceId: string;
  readonly traceId: string;
  readonly requestId: string;
  readonly occurTime: string;
  readonly recordTime: string;
  readonly details: Readonly<Record<string, string>>;
  readonly source: string;
  readonly actorSealed: Uint8Array | null;
  readonly subjectSealed: Uint8Array | null;
}

/**
 * What the leaf commits to. THIS CAN NEVER CHANGE: leaves made from it stand for ever. There is no stored JSON text beside
 * the columns that could say something else than they do: the text is always made from them, so a verifier re-hashes
 * every stored value (B-log).
 */
export function recordToAuditRecord(record: StoredRecord): AuditRecord {
  return {
    action: record.action,
    actorId: record.actorId,
    actorKind: record.actorKind,
    actorName: record.actorName,
    actorSealed: bytesToText(record.actorSealed),
    details: { ...record.details },
    deviceId: record.deviceId,
    id: record.eventId,
    occurTime: record.occurTime,
    recordTime: record.recordTime,
    requestId: record.requestId,
    resourceId: record.resourceId,
    resourceType: record.resourceType,
    retentionClass: record.retentionClass,
    source: record.source,
    subjectId: record.subjectId,
    subjectSealed: bytesToText(record.subjectSealed),
    traceId: record.traceId,
  };
}

export function recordToCanonicalText(record: StoredRecord): string {
  return recordToCanonicalJson(recordToAuditRecord(record));
}

function bytesToText(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('base64');
}
