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
import { findRecords } from './audit-search.ts';

/**
 * Newest first unless asked otherwise. A page has as many queries whatever the number of its records: names of people are
 * the caller's to look up (older fault 38). One of a search by text may be short, or empty, and still name the next.
 */
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
  const { records, reached } = await findRecords(deps.auditDatabase, filter, {
    limit: page.rowsMax,
    descending,
    after,
  });
  const end = reached === undefined ? undefined : [String(reached)];
  const { rows, nextPageToken } = page.cut(records, ({ sequence }) => [String(sequence)], end);
  return { events: await Promise.all(rows.map((record) => recordToProto(deps, record))), nextPageToken };
}
