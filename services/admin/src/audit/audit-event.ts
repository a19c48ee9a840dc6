import { fromBinary } from '@bufbuild/protobuf';
import { type AuditEvent, AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { isAuditAction, isResourceType } from '@strongroom/platform/events';

/** Far above any event a service makes; NATS itself would let a megabyte pass. */
export const eventBytesMax = 65_536;
export const detailsMax = 64;
const textBytesMax = 512;
/** A write to a hundred rows names their keys in one detail. */
const detailBytesMax = 16_384;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traceIdPattern = /^([0-9a-f]{32})?$/;
const actorKinds: ReadonlySet<string> = new Set(['user', 'service', 'database', 'anonymous']);
const subjectPattern = /^strongroom\.events\.([a-z]+)\.([A-Z_]+)$/;

/** The closed list of reasons why a message can't become a record (F29). */
export const parkReasons = [
  'TOO_BIG',
  'UNDECODABLE',
  'UNKNOWN_VERSION',
  'UNKNOWN_ACTION',
  'INVALID',
  'WRONG_SUBJECT',
] as const;
export type ParkReason = (typeof parkReasons)[number];

export type CheckedMessage = { readonly event: AuditEvent } | { readonly reason: ParkReason };

/** Reads a message of the stream EVENTS. What is not an event of the contract is parked, never guessed at. */
export function checkMessage(subject: string, bytes: Uint8Array): CheckedMessage {
  if (bytes.length > eventBytesMax) return { reason: 'TOO_BIG' };
  const event = decode(bytes);
  if (!event) return { reason: 'UNDECODABLE' };
  // A producer of a later version: to drop what we don't know would lose evidence. It waits for us to be brought up to date.
  if (event.$unknown && event.$unknown.length > 0) return { reason: 'UNKNOWN_VERSION' };
  if (!isAuditAction(event.action)) return { reason: 'UNKNOWN_ACTION' };
  if (!isValid(event)) return { reason: 'INVALID' };
  const [, source, action] = subjectPattern.exec(subject) ?? [];
  // The subject is what the broker's permissions bind to the producer; the text in the event is only its word.
  return source === event.source && action === event.action ? { event } : { reason: 'WRONG_SUBJECT' };
}

function decode(bytes: Uint8Array): AuditEvent | undefined {
  try {
    return fromBinary(AuditEventSchema, bytes);
  } catch {
    return undefined;
  }
}

function isValid(event: AuditEvent): boolean {
  return (
    uuidPattern.test(event.id) &&
    isResourceType(event.resourceType) &&
    [event.actorId, event.subjectId].every((id) => id === '' || uuidPattern.test(id)) &&
    actorKinds.has(event.actorKind) &&
    traceIdPattern.test(event.traceId) &&
    event.occurTime !== undefined &&
    event.occurTime.seconds >= 0n &&
    event.occurTime.seconds < 253_402_300_800n &&
    [event.resourceId, event.actorName, event.deviceId, event.requestId, event.source].every(isText) &&
    [event.ipAddress, event.userAgent].every((text) => isTextOf(text, detailBytesMax)) &&
    [event.details, event.personalDetails].every(areDetails)
  );
}

function areDetails(details: Record<string, string>): boolean {
  const entries = Object.entries(details);
  return (
    entries.length <= detailsMax && entries.every(([name, value]) => isText(name) && isTextOf(value, detailBytesMax))
  );
}

function isText(text: string): boolean {
  return isTextOf(text, textBytesMax);
}

/** PostgreSQL stores no U+0000 in a text. */
function isTextOf(text: string, bytesMax: number): boolean {
  return Buffer.byteLength(text, 'utf8') <= bytesMax && !text.includes('\u0000') && text.isWellFormed();
}
