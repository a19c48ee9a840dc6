import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListAuditEventsRequest,
  ListAuditEventsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type PageKeys, requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { requestToFilter } from './audit-filter.ts';
import { type OpenDeps, recordToProto } from './audit-proto.ts';
import { listRecords } from './audit-store.ts';

/** Newest first unless asked otherwise. One query a page: names of people are the caller's to look up (older fault 38). */
export async function listAuditEvents(
  deps: OpenDeps & { readonly auditDatabase: Database; readonly keyring: PageKeys },
  request: ListAuditEventsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListAuditEventsResponseSchema>> {
  const filter = requestToFilter(request);
  const descending = !/^sequence( asc)?$/.test(request.orderBy);
  const scope = ['audit-events', requirePrincipal(call).userId, JSON.stringify(filter), String(descending)];
  const page = requestedPage(deps.keyring, scope, request);
  const after = page.after && Number(page.after[0]);
  const found = await listRecords(deps.auditDatabase, filter, { limit: page.rowsMax, descending, after });
  const { rows, nextPageToken } = page.cut(found, ({ sequence }) => [String(sequence)]);
  return { events: await Promise.all(rows.map((record) => recordToProto(deps, record))), nextPageToken };
}
