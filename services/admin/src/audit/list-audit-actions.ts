import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListAuditActionsResponseSchema } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { auditActions, resourceTypes } from '@strongroom/platform/events';

/** The closed lists, not what happens to be stored: every action can be asked for before it has ever happened (S1.5). */
export async function listAuditActions(): Promise<MessageInitShape<typeof ListAuditActionsResponseSchema>> {
  return { actions: [...auditActions].sort(), resourceTypes: [...resourceTypes].sort() };
}
