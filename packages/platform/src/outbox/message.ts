import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { timestampToProto } from '../database/timestamps.ts';

/** A row as the relay reads it. */
export interface StoredRow {
  readonly order_id: bigint;
  readonly event_id: string;
  readonly kind: 'event' | 'notice';
  readonly name: string;
  readonly payload: Buffer | null;
  readonly record: Record<string, unknown> | null;
  readonly traceparent: string | null;
  readonly created_at: string;
  readonly round: number;
}

export interface OutgoingMessage {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly messageId: string;
  readonly headers: Record<string, string>;
}

/** What goes over the bus for a row of the service `source`. */
export function toMessage(row: StoredRow, source: string): OutgoingMessage {
  const subject = row.kind === 'event' ? `strongroom.events.${source}.${row.name}` : `strongroom.notices.${row.name}`;
  return {
    subject,
    bytes: row.kind === 'event' ? eventBytes(row, source) : (row.payload ?? Buffer.alloc(0)),
    messageId: row.round === 0 ? row.event_id : `${row.event_id}.${row.round}`,
    headers: row.traceparent === null ? {} : { traceparent: row.traceparent },
  };
}

function eventBytes(row: StoredRow, source: string): Uint8Array {
  const known = { source, occurTime: timestampToProto(row.created_at) };
  if (row.payload === null) {
    const record = row.record as MessageInitShape<typeof AuditEventSchema>;
    return toBinary(AuditEventSchema, create(AuditEventSchema, { ...record, ...known, id: row.event_id }));
  }
  // Protobuf messages concatenate: later fields replace earlier ones, so nothing needs to be parsed.
  return Buffer.concat([row.payload, toBinary(AuditEventSchema, create(AuditEventSchema, known))]);
}
