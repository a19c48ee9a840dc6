import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListReportsRequest, ListReportsResponseSchema } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { type PageTokens, pageSizeOf } from '../paging/page-token.ts';
import { reportToProto } from './report-proto.ts';
import { listStoredReports } from './report-store.ts';

/** Newest first, without their content. */
export async function listReports(
  { database, pageTokens }: { readonly database: Database; readonly pageTokens: PageTokens },
  request: ListReportsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListReportsResponseSchema>> {
  const scope = { list: 'reports', callerId: requirePrincipal(call).userId, filter: {} };
  const limit = pageSizeOf(request.pageSize);
  const found = await listStoredReports(database, limit + 1, pageTokens.open(scope, request.pageToken));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    reports: page.map((report) => reportToProto(report)),
    nextPageToken: found.length > limit && last ? pageTokens.seal(scope, last.id) : '',
  };
}
