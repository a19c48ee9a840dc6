import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { AuditEventSchema, NoticeContentSchema, NoticeSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { uuidv7 } from '../crypto/digest.ts';
import type { Act } from '../database/act.ts';
import type { ISql } from '../database/types.ts';
import type { AuditAction, ResourceType } from '../events/closed-lists.ts';
import { currentTraceId } from '../telemetry/context.ts';
import { traceparent } from '../telemetry/trace.ts';
import type { NoticeKey } from './notice-key.ts';

/** What happened. Who did it is the act's. */
export interface NewEvent {
  readonly action: AuditAction;
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  /** The person whom it is about. */
  readonly subjectId?: string;
  /** Facts that identify nobody. */
  readonly details?: Readonly<Record<string, string>>;
  /** Personal data of the subject; encrypted under the subject's key by the audit log. */
  readonly personalDetails?: Readonly<Record<string, string>>;
}

/** One row of strongroom.outbox. */
export interface OutboxRow {
  readonly eventId: string;
  readonly kind: 'event' | 'notice';
  readonly name: string;
  readonly payload: Uint8Array;
  readonly traceparent: string | null;
  readonly expiresAt: Date | null;
}

/** The row of an event, for a write that is one statement: see `outboxInsert`. */
export function eventRow(act: Act, event: NewEvent): OutboxRow {
  const eventId = uuidv7();
  // Source and time are left out: the relay adds them from the database's name and the row's own time, so that neither
  // hangs on what a caller says.
  const message = create(AuditEventSchema, {
    id: eventId,
    action: event.action,
    resourceType: event.resourceType,
    resourceId: event.resourceId,
    subjectId: event.subjectId ?? '',
    actorId: act.actorId,
    actorKind: act.actorKind,
    actorName: act.actorName,
    ipAddress: act.ipAddress,
    userAgent: act.userAgent,
    deviceId: act.deviceId,
    traceId: act.traceId || currentTraceId() || '',
    requestId: act.requestId,
    details: { ...event.details },
    personalDetails: { ...event.personalDetails },
  });
  return {
    eventId,
    kind: 'event',
    name: event.action,
    payload: toBinary(AuditEventSchema, message),
    traceparent: traceparent() ?? null,
    expiresAt: null,
  };
}

/**
 * The insert as a fragment for a CTE: `with payment as (insert … returning id), event as (${outboxInsert(sql, row)})`.
 * With `from`, the row is written once for each row of it: `outboxInsert(sql, row, 'payment')` only if one was inserted.
 */
export function outboxInsert(sql: ISql, row: OutboxRow, from?: string) {
  const columns = sql`insert into strongroom.outbox (event_id, kind, name, payload, traceparent, expires_at)`;
  const values = sql`${row.eventId}::uuid, ${row.kind}::text, ${row.name}::text, ${row.payload}::bytea,
    ${row.traceparent}::text, ${row.expiresAt?.toISOString() ?? null}::timestamptz`;
  return from === undefined ? sql`${columns} values (${values})` : sql`${columns} select ${values} from ${sql(from)}`;
}

interface Writer {
  readonly sql: ISql;
}

/** Records an event in the transaction of its act. Answers its id. */
export async function appendEvent(tx: Writer, act: Act, event: NewEvent): Promise<string> {
  const row = eventRow(act, event);
  await tx.sql`${outboxInsert(tx.sql, row)}`;
  return row.eventId;
}

/** A message to a person. The content may hold reset links, so it is sealed before it is stored. */
export interface NewNotice {
  /** Empty for an address without an account. */
  readonly userId: string;
  readonly template: string;
  readonly email: string;
  readonly values: Readonly<Record<string, string>>;
  readonly expireTime: Date;
}

export function noticeRow(noticeKey: NoticeKey, notice: NewNotice): OutboxRow {
  const id = uuidv7();
  const content = create(NoticeContentSchema, {
    email: notice.email,
    values: { ...notice.values },
  });
  const message = create(NoticeSchema, {
    id,
    userId: notice.userId,
    template: notice.template,
    sealedContent: noticeKey.seal(toBinary(NoticeContentSchema, content), id),
    createTime: timestampFromDate(new Date()),
    expireTime: timestampFromDate(notice.expireTime),
  });
  return {
    eventId: id,
    kind: 'notice',
    name: notice.template,
    payload: toBinary(NoticeSchema, message),
    traceparent: traceparent() ?? null,
    expiresAt: notice.expireTime,
  };
}

/** Asks for a notice in the transaction of the act that calls for it. Answers its id. */
export async function appendNotice(tx: Writer, noticeKey: NoticeKey, notice: NewNotice): Promise<string> {
  const row = noticeRow(noticeKey, notice);
  await tx.sql`${outboxInsert(tx.sql, row)}`;
  return row.eventId;
}
