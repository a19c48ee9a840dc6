import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ReportFormat,
  ReportKind,
  type ReportSchema,
  ReportState,
} from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { ReportFormatName, ReportKindName } from './report.ts';
import type { StoredReport } from './report-store.ts';

export function reportToProto(report: StoredReport, content?: Uint8Array): MessageInitShape<typeof ReportSchema> {
  return {
    id: report.id,
    kind: ReportKind[report.kind],
    format: ReportFormat[report.format],
    state: ReportState.COMPLETED,
    startTime: timestampToProto(report.startTime),
    endTime: timestampToProto(report.endTime),
    firstSequence: BigInt(report.firstSequence ?? 0),
    lastSequence: BigInt(report.lastSequence ?? 0),
    checkpoint: report.checkpoint,
    complete: report.complete,
    rowCount: report.rowCount,
    contentType: report.contentType,
    content,
    createTime: timestampToProto(report.createTime),
  };
}

/** Validation has refused UNSPECIFIED and numbers without a name. */
export function kindFromProto(kind: ReportKind): ReportKindName {
  return nameOf(ReportKind, kind) as ReportKindName;
}

export function formatFromProto(format: ReportFormat): ReportFormatName {
  return nameOf(ReportFormat, format) as ReportFormatName;
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number);
}
