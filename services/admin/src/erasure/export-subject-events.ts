import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ExportSubjectEventsRequest,
  ExportSubjectEventsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { type OpenDeps, openPart } from '../audit/audit-proto.ts';
import { listPersonRecords, type SequencedRecord } from '../audit/audit-store.ts';

const pageSize = 1_000;
/** About 20 MB of text; a person with more is told so in the document. */
const recordsMax = 50_000;

interface ExportDeps extends OpenDeps {
  readonly auditDatabase: Database;
  readonly database: Database;
}

/**
 * What the log holds about a person, for that person: acts by and about him, with the personal facts that are his. Those of
 * others in the same records, an administrator's address say, are not his to have.
 */
export async function exportSubjectEvents(
  deps: ExportDeps,
  request: ExportSubjectEventsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ExportSubjectEventsResponseSchema>> {
  const userId = request.userId.toLowerCase();
  const records: object[] = [];
  let after = -1;
  let isComplete = false;
  while (!isComplete && records.length < recordsMax) {
    const page = await listPersonRecords(deps.auditDatabase, userId, { after, limit: pageSize });
    for (const record of page) records.push(await recordForPerson(deps, record, userId));
    after = page.at(-1)?.sequence ?? after;
    isComplete = page.length < pageSize;
  }
  const act = actOf(call);
  await appendEvent(deps.database, act, {
    action: 'DATA_EXPORTED',
    resourceType: 'user',
    resourceId: userId,
    subjectId: userId,
    details: { what: 'audit log', records: String(records.length) },
  });
  return { json: Buffer.from(JSON.stringify({ records, complete: isComplete }), 'utf8') };
}

async function recordForPerson(deps: OpenDeps, record: SequencedRecord, userId: string): Promise<object> {
  const isOwn = (id: string) => id === userId;
  const actor = isOwn(record.actorId) ? await openPart(deps, record, 'actor', record.actorSealed) : undefined;
  const subject = isOwn(record.subjectId) ? await openPart(deps, record, 'subject', record.subjectSealed) : undefined;
  return {
    sequence: record.sequence,
    id: record.eventId,
    action: record.action,
    resourceType: record.resourceType,
    resourceId: record.resourceId,
    occurTime: record.occurTime,
    byYou: isOwn(record.actorId),
    aboutYou: isOwn(record.subjectId),
    deviceId: isOwn(record.actorId) ? record.deviceId : undefined,
    ...actor?.facts,
    details: { ...subject?.facts, ...record.details },
    source: record.source,
  };
}
