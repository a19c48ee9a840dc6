import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListAuditEventsRequest,
  ListAuditEventsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { type PageTokens, pageSizeOf } from '../paging/page-token.ts';
import { requestToFilter } from './audit-filter.ts';
import { type OpenDeps, recordToProto } from './audit-proto.ts';
import { listRecords } from './audit-store.ts';

/** Newest first unless asked otherwise. One query a page: names of people are the caller's to look up (older fault 38). */
export async function listAuditEvents(
  deps: OpenDeps & { readonly auditDatabase: Database; readonly pageTokens: PageTokens },
  request: ListAuditEventsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListAuditEventsResponseSchema>> {
  const filter = requestToFilter(request);
  const descending = !/^sequence( asc)?$/.test(request.orderBy);
  const scope = {
    list: 'audit-events',
    callerId: requirePrincipal(call).userId,
    filter: { ...filter, descending },
  };
  const limit = pageSizeOf(request.pageSize);
  const position = deps.pageTokens.open(scope, request.pageToken);
  const after = position === undefined ? undefined : Number(position);
  const found = await listRecords(deps.auditDatabase, filter, { limit: limit + 1, descending, after });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    events: await Promise.all(page.map((record) => recordToProto(deps, record))),
    nextPageToken: found.length > limit && last ? deps.pageTokens.seal(scope, String(last.sequence)) : '',
  };
}
