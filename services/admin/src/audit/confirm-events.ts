import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ConfirmEventsRequest,
  ConfirmEventsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { findStoredEvents } from './log-store.ts';

/**
 * Tells which events the log holds, so that an outbox can let them go. A parked message is no stored event, also if it
 * carries an event's id: whoever can publish could otherwise make an outbox forget what never reached the log.
 */
export async function confirmEvents(
  { auditDatabase }: { readonly auditDatabase: Database },
  request: Pick<ConfirmEventsRequest, 'eventIds'>,
): Promise<MessageInitShape<typeof ConfirmEventsResponseSchema>> {
  return { storedEventIds: [...(await findStoredEvents(auditDatabase, request.eventIds))] };
}
