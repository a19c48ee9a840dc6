import type { Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { desc, eq, getTableColumns, lt } from 'drizzle-orm';
import { reports } from '../schema.ts';

/** A row says nothing of an unfinished report: one is stored once it is made, and a failure is its caller's answer. */
const { state: _state, failure: _failure, content, ...columns } = getTableColumns(reports);

export type StoredReport = Readonly<Omit<typeof reports.$inferSelect, 'state' | 'failure' | 'content'>>;

export async function insertReport(db: Queryable, report: StoredReport, bytes: Uint8Array): Promise<void> {
  await db.orm.insert(reports).values({ ...report, state: 'COMPLETED', content: Buffer.from(bytes) });
}

export async function findReport(
  db: Queryable,
  id: string,
): Promise<{ report: StoredReport; content: Uint8Array | null } | undefined> {
  const [row] = await db.orm
    .select({ ...columns, content })
    .from(reports)
    .where(eq(reports.id, id));
  return row && { report: row, content: row.content };
}

/** Newest first: ids are UUIDv7. */
export async function listStoredReports(db: Queryable, { after, rowsMax }: PageBounds): Promise<StoredReport[]> {
  const [last] = after ?? [];
  return await db.orm
    .select(columns)
    .from(reports)
    .where(last === undefined ? undefined : lt(reports.id, last))
    .orderBy(desc(reports.id))
    .limit(rowsMax);
}
