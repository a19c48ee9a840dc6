import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GenerateComplianceReportRequest,
  GenerateComplianceReportResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { type Database, protoToTimestamp } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { SequencedRecord } from '../audit/audit-store.ts';
import type { UserDeps } from '../user/user-client.ts';
import { readCurrentAccess } from './current-access.ts';
import { collectEvidence, type EvidenceDeps } from './range-evidence.ts';
import { type ReportContent, type ReportFormatName, type ReportKindName, reportDefinitions } from './report.ts';
import { reportToCsv } from './report-csv.ts';
import { reportToJson } from './report-json.ts';
import { reportToPdf } from './report-pdf.ts';
import { formatFromProto, kindFromProto, reportToProto } from './report-proto.ts';
import { insertReport } from './report-store.ts';

interface ReportDeps extends EvidenceDeps, UserDeps {
  readonly database: Database;
}

const writers: Readonly<
  Record<ReportFormatName, { contentType: string; write: (content: ReportContent) => Buffer | Promise<Buffer> }>
> = {
  CSV: { contentType: 'text/csv; charset=utf-8; header=absent', write: reportToCsv },
  JSON: { contentType: 'application/json', write: reportToJson },
  PDF: { contentType: 'application/pdf', write: reportToPdf },
};

/** Made at once, within the call: each line is a record of the log, and the range it stands in was hashed again for it. */
export async function generateComplianceReport(
  deps: ReportDeps,
  request: GenerateComplianceReportRequest,
  call: Call,
): Promise<MessageInitShape<typeof GenerateComplianceReportResponseSchema>> {
  const asked = readRequest(request);
  const access = asked.kind === 'ACCESS_REVIEW' ? await readCurrentAccess(deps.auth, asService(call)) : undefined;
  const { evidence, lines } = await collectEvidence(deps, asked, lineFilter(asked));
  const content = { ...asked, id: uuidv7(), createTime: new Date().toISOString(), evidence, lines, access };
  const format = formatFromProto(request.format);
  const { contentType, write } = writers[format];
  const bytes = await write(content);
  const report = {
    ...content,
    format,
    subjectId: asked.subjectId || null,
    actorId: requirePrincipal(call).userId,
    firstSequence: evidence.firstSequence,
    lastSequence: evidence.lastSequence,
    checkpoint: evidence.checkpoint,
    complete: evidence.faults.length === 0,
    rowCount: lines.length,
    contentType,
  };
  const act = actOf(call);
  await deps.database.transaction(act, async (tx) => {
    await insertReport(tx, report, bytes);
    await appendEvent(tx, act, {
      action: 'REPORT_GENERATED',
      resourceType: 'audit_log',
      resourceId: report.id,
      subjectId: asked.subjectId,
      details: { kind: asked.kind, format, complete: String(report.complete), lines: String(lines.length) },
    });
  });
  return { report: reportToProto(report, bytes) };
}

interface AskedReport {
  readonly kind: ReportKindName;
  readonly startTime: string;
  readonly endTime: string;
  readonly subjectId: string;
}

function readRequest({ kind, startTime, endTime, subjectId }: GenerateComplianceReportRequest): AskedReport {
  const asked = {
    kind: kindFromProto(kind),
    startTime: protoToTimestamp(startTime ?? { seconds: 0n, nanos: 0 }),
    endTime: protoToTimestamp(endTime ?? { seconds: 0n, nanos: 0 }),
    subjectId: subjectId?.toLowerCase() ?? '',
  };
  const violations = [
    ...(asked.startTime < asked.endTime
      ? []
      : [{ field: 'end_time', rule: 'after_start', message: 'must be after start_time' }]),
    ...(asked.kind === 'DATA_ACCESS' && asked.subjectId === ''
      ? [{ field: 'subject_id', rule: 'required', message: 'is needed for DATA_ACCESS' }]
      : []),
  ];
  if (violations.length > 0) throw commonErrors.VALIDATION_FAILED({ violations });
  return asked;
}

function lineFilter({ kind, startTime, endTime, subjectId }: AskedReport): (record: SequencedRecord) => boolean {
  const actions = reportDefinitions[kind].actions && new Set(reportDefinitions[kind].actions);
  // Times have one form and one length, so that they compare as text.
  return (record) =>
    record.occurTime >= startTime &&
    record.occurTime < endTime &&
    (actions === undefined || actions.has(record.action)) &&
    (subjectId === '' || record.subjectId === subjectId || record.resourceId === subjectId);
}
