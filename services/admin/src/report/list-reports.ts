import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListReportsRequest, ListReportsResponseSchema } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type PageKeys, requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { reportToProto } from './report-proto.ts';
import { listStoredReports } from './report-store.ts';

/** Newest first, without their content. */
export async function listReports(
  { database, keyring }: { readonly database: Database; readonly keyring: PageKeys },
  request: ListReportsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListReportsResponseSchema>> {
  const page = requestedPage(keyring, ['reports', requirePrincipal(call).userId], request);
  const { rows, nextPageToken } = page.cut(await listStoredReports(database, page), ({ id }) => [id]);
  return { reports: rows.map((report) => reportToProto(report)), nextPageToken };
}
