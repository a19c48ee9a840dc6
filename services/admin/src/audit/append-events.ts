import type { AuditEvent } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { type Database, protoToTimestamp, serviceAct } from '@strongroom/platform/database';
import { appendLeaves, createSalt, leafHash, recordToEntry } from '@strongroom/tlog';
import type { PersonKeystore } from '../erasure/person-keystore.ts';

import { recordToAuditRecord, type StoredRecord } from './audit-record.ts';
import { ensurePartitions, insertRecords } from './audit-store.ts';
import { findStoredEvents, insertLeaves, lockLog, storeTree } from './log-store.ts';
import { keyOwnerOf, type SealedPart, sealPersonalData } from './personal-data.ts';
import { retentionClassOf } from './retention.ts';

export interface LogDeps {
  readonly auditDatabase: Database;
  readonly keystore: PersonKeystore;
}

type UnrecordedRecord = Omit<StoredRecord, 'recordTime'>;

/**
 * Appends those events that the log doesn't have: records, leaves, tiles and state in one transaction, under the writer's
 * lock. Positions are dense because the size and the rows it counts commit together; an event id is taken once because
 * its row in log_leaf is. Gives the positions of the new ones.
 */
export async function appendEvents(
  { auditDatabase, keystore }: LogDeps,
  events: readonly AuditEvent[],
): Promise<{ firstSequence: number; appended: AuditEvent[] }> {
  const distinct = [...new Map(events.map((event) => [event.id, event])).values()];
  // Sealed before the lock is taken: the others wait no longer than the database needs.
  const sealed = await Promise.all(distinct.map((event) => sealEvent(keystore, event)));
  return auditDatabase.transaction(serviceAct('admin'), async (tx) => {
    const { recordTime, minimumIndex: _, ...state } = await lockLog(tx);
    const known = await findStoredEvents(
      tx,
      distinct.map(({ id }) => id),
    );
    const appended = distinct.filter(({ id }) => !known.has(id));
    if (appended.length === 0) return { firstSequence: state.size, appended };
    const records = sealed
      .filter(({ eventId }) => !known.has(eventId))
      .map((record, at) => ({ ...record, recordTime, sequence: state.size + at, salt: createSalt() }));
    const entries = records.map((record) => recordToEntry(recordToAuditRecord(record), record.salt));
    const grown = appendLeaves(state, entries.map(leafHash));
    await ensurePartitions(tx);
    await Promise.all([
      insertLeaves(
        tx,
        records.map(({ sequence, eventId }, at) => ({ sequence, eventId, entry: entries[at] as Buffer })),
      ),
      insertRecords(tx, records),
      storeTree(tx, grown.state, grown.tiles),
    ]);
    return { firstSequence: state.size, appended };
  });
}

async function sealEvent(keystore: PersonKeystore, event: AuditEvent): Promise<UnrecordedRecord> {
  const { ipAddress, userAgent } = event;
  const actorFacts = Object.fromEntries(Object.entries({ ipAddress, userAgent }).filter(([, text]) => text !== ''));
  return {
    eventId: event.id,
    retentionClass: retentionClassOf(event.action),
    action: event.action,
    resourceType: event.resourceType,
    resourceId: event.resourceId,
    actorId: event.actorId,
    actorKind: event.actorKind,
    actorName: event.actorName,
    subjectId: event.subjectId,
    deviceId: event.deviceId,
    traceId: event.traceId,
    requestId: event.requestId,
    // PostgreSQL keeps microseconds: what is hashed must be what is read back.
    occurTime: protoToTimestamp(event.occurTime ?? { seconds: 0n, nanos: 0 }),
    details: event.details,
    source: event.source,
    actorSealed: await sealPart(keystore, event, 'actor', actorFacts),
    subjectSealed: await sealPart(keystore, event, 'subject', event.personalDetails),
  };
}

/** Facts about someone who was erased are not collected again: they are dropped here. */
async function sealPart(
  keystore: PersonKeystore,
  event: AuditEvent,
  part: SealedPart,
  facts: Record<string, string>,
): Promise<Uint8Array | null> {
  if (Object.keys(facts).length === 0) return null;
  const key = await keystore.keyOf(keyOwnerOf(part, event));
  return key ? sealPersonalData(key, event.id, part, facts) : null;
}
