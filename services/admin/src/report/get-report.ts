import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetReportRequest, GetReportResponseSchema } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { errors } from '../errors.ts';
import { reportToProto } from './report-proto.ts';
import { findReport } from './report-store.ts';

export async function getReport(
  { database }: { readonly database: Database },
  request: GetReportRequest,
): Promise<MessageInitShape<typeof GetReportResponseSchema>> {
  const found = await findReport(database, request.id);
  if (!found) throw errors.REPORT_NOT_FOUND();
  return { report: reportToProto(found.report, found.content ?? undefined) };
}
