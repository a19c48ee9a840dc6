import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AuditEventSchema } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { PersonKeystore } from '../erasure/person-keystore.ts';
import type { SequencedRecord } from './audit-store.ts';
import { keyOwnerOf, openPersonalData, type SealedPart } from './personal-data.ts';

/** What a record is opened with; somebody is told of one that doesn't open. */
export interface OpenDeps {
  readonly keystore: PersonKeystore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The record as administrators see it: sealed parts opened, or left out once erased. One that is damaged hides no other. */
export async function recordToProto(
  deps: OpenDeps,
  record: SequencedRecord,
): Promise<MessageInitShape<typeof AuditEventSchema>> {
  const actor = await openPart(deps, record, 'actor', record.actorSealed);
  const subject = await openPart(deps, record, 'subject', record.subjectSealed);
  return {
    sequence: BigInt(record.sequence),
    id: record.eventId,
    action: record.action,
    resourceType: record.resourceType,
    resourceId: record.resourceId,
    actorId: record.actorId,
    actorKind: record.actorKind,
    actorName: record.actorName,
    subjectId: record.subjectId,
    ipAddress: actor.facts['ipAddress'] ?? '',
    userAgent: actor.facts['userAgent'] ?? '',
    deviceId: record.deviceId,
    traceId: record.traceId,
    requestId: record.requestId,
    occurTime: timestampToProto(record.occurTime),
    recordTime: timestampToProto(record.recordTime),
    details: { ...subject.facts, ...record.details },
    source: record.source,
    erased: [actor, subject].some(({ state }) => state === 'erased'),
    damaged: [actor, subject].some(({ state }) => state === 'damaged'),
  };
}

export interface OpenedPart {
  readonly facts: Readonly<Record<string, string>>;
  readonly state: 'open' | 'erased' | 'damaged';
}

export async function openPart(
  { keystore, logger, metrics }: OpenDeps,
  record: SequencedRecord,
  part: SealedPart,
  sealed: Uint8Array | null,
): Promise<OpenedPart> {
  if (sealed === null) return { facts: {}, state: 'open' };
  const key = await keystore.keyOf(keyOwnerOf(part, record));
  if (!key) return { facts: {}, state: 'erased' };
  try {
    return { facts: openPersonalData(key, record.eventId, part, sealed), state: 'open' };
  } catch (error) {
    metrics.increment('audit_verification_failures_total');
    logger.error({ err: error, sequence: record.sequence, part }, 'a record of the audit log does not open');
    return { facts: {}, state: 'damaged' };
  }
}
