import type { OutboxRow } from '@strongroom/platform/outbox';

// Rows of a statement that writes many go in as one JSON text (json_to_recordset).

/** As PostgreSQL reads a bytea. */
export function bytesToText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/** The part of a row that is its event. */
export function eventToRow({ eventId, name, payload, traceparent }: OutboxRow) {
  return { event_id: eventId, event_name: name, event_payload: bytesToText(payload), traceparent };
}
