import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AuditEventSchema } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { PersonKeystore } from '../erasure/person-keystore.ts';
import type { SequencedRecord } from './audit-store.ts';
import { keyOwnerOf, openPersonalData, type SealedPart } from './personal-data.ts';

/** The record as administrators see it: sealed parts opened, or left out once erased. */
export async function recordToProto(
  keystore: PersonKeystore,
  record: SequencedRecord,
): Promise<MessageInitShape<typeof AuditEventSchema>> {
  const actor = await openPart(keystore, record, 'actor', record.actorSealed);
  const subject = await openPart(keystore, record, 'subject', record.subjectSealed);
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
    erased: actor.erased || subject.erased,
  };
}

export interface OpenedPart {
  readonly facts: Readonly<Record<string, string>>;
  readonly erased: boolean;
}

export async function openPart(
  keystore: PersonKeystore,
  record: SequencedRecord,
  part: SealedPart,
  sealed: Uint8Array | null,
): Promise<OpenedPart> {
  if (sealed === null) return { facts: {}, erased: false };
  const key = await keystore.keyOf(keyOwnerOf(part, record));
  return key
    ? { facts: openPersonalData(key, record.eventId, part, sealed), erased: false }
    : { facts: {}, erased: true };
}
