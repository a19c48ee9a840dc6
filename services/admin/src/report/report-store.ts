import type { Queries } from '../queries.ts';
import type { ReportFormatName, ReportKindName } from './report.ts';

export interface StoredReport {
  readonly id: string;
  readonly kind: ReportKindName;
  readonly format: ReportFormatName;
  readonly startTime: string;
  readonly endTime: string;
  readonly subjectId: string;
  readonly actorId: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly checkpoint: string;
  readonly complete: boolean;
  readonly rowCount: number;
  readonly contentType: string;
  readonly createTime: string;
}

export async function insertReport({ sql }: Queries, report: StoredReport, content: Uint8Array): Promise<void> {
  await sql`
    insert into report (id, kind, format, state, start_time, end_time, subject_id, actor_id, first_sequence, last_sequence,
      checkpoint, complete, row_count, content_type, content, create_time)
    values (${report.id}::uuid, ${report.kind}, ${report.format}, 'COMPLETED', ${report.startTime}::timestamptz,
      ${report.endTime}::timestamptz, ${report.subjectId || null}::uuid, ${report.actorId}::uuid,
      ${String(report.firstSequence)}, ${String(report.lastSequence)}, ${report.checkpoint}, ${report.complete},
      ${report.rowCount}, ${report.contentType}, ${Buffer.from(content)}, ${report.createTime}::timestamptz)`;
}

export async function findReport(
  { sql }: Queries,
  id: string,
): Promise<{ report: StoredReport; content: Uint8Array } | undefined> {
  const [row] = await sql`select ${columns(sql)}, content from report where id = ${id}::uuid`;
  return row && { report: rowToReport(row), content: row['content'] as Uint8Array };
}

/** Newest first: ids are UUIDv7. */
export async function listStoredReports({ sql }: Queries, limit: number, before?: string): Promise<StoredReport[]> {
  const older = before === undefined ? sql`` : sql`where id < ${before}::uuid`;
  const rows = await sql`select ${columns(sql)} from report ${older} order by report.id desc limit ${limit}`;
  return rows.map(rowToReport);
}

function columns(sql: Queries['sql']) {
  return sql`id::text, kind, format, start_time, end_time, coalesce(subject_id::text, '') as subject_id, actor_id::text,
    first_sequence::text, last_sequence::text, checkpoint, complete, row_count, content_type, create_time`;
}

function rowToReport(row: Record<string, unknown>): StoredReport {
  const text = (name: string) => String(row[name]);
  return {
    id: text('id'),
    kind: text('kind') as ReportKindName,
    format: text('format') as ReportFormatName,
    startTime: text('start_time'),
    endTime: text('end_time'),
    subjectId: text('subject_id'),
    actorId: text('actor_id'),
    firstSequence: Number(row['first_sequence']),
    lastSequence: Number(row['last_sequence']),
    checkpoint: text('checkpoint'),
    complete: row['complete'] === true,
    rowCount: Number(row['row_count']),
    contentType: text('content_type'),
    createTime: text('create_time'),
  };
}
