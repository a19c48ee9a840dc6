import type { Queryable } from '@strongroom/platform/database';
import {
  EXPORT_CHECKPOINTS_MAX,
  type ExportRow,
  exportLog,
  leafHash,
  minimumIndexFromCheckpoint,
  parseUnverifiedCheckpoint,
  parseVerifierKey,
} from '@strongroom/tlog';
import { listGenuineNotes } from '../transparency/genuine-checkpoints.ts';
import { recordToAuditRecord } from './audit-record.ts';
import { listRecordRange } from './audit-store.ts';
import { createTileReader, readEntries } from './log-store.ts';

const chunkRows = 1_000;

export interface LogExportOptions {
  readonly auditDatabase: Queryable;
  readonly origin: string;
  /** Verifier keys in text form. */
  readonly logKeys: readonly string[];
  readonly witnessKeys: readonly string[];
  /** Only cosigned checkpoints count where there is a witness. */
  readonly cosignedOnly: boolean;
}

/**
 * The log as a file that anyone checks offline (`npm run audit:verify`). Rows below the head never change, so nothing is
 * locked however long it takes. Whatever has become of a row is exported as it lies there: the verifier says what is wrong.
 */
export async function* exportAuditLog(options: LogExportOptions): AsyncGenerator<Buffer> {
  const { auditDatabase, origin, logKeys, witnessKeys, cosignedOnly } = options;
  const trust = { origin, logKeys: logKeys.map(parseVerifierKey), witnessKeys: witnessKeys.map(parseVerifierKey) };
  const checkpoints = await listGenuineNotes(auditDatabase, trust, { cosignedOnly, countMax: EXPORT_CHECKPOINTS_MAX });
  const head = checkpoints.at(-1);
  if (head === undefined) {
    const names = trust.witnessKeys.map(({ name }) => name).join(', ');
    const wanted = cosignedOnly ? `signed with its key and cosigned by ${names}` : 'signed with its key';
    throw new Error(`the database holds no checkpoint of ${origin} that is ${wanted}`);
  }
  const checkpoint = parseUnverifiedCheckpoint(head);
  yield* exportLog({
    origin,
    logKeys,
    witnessKeys,
    checkpoints,
    rows: streamRows(auditDatabase, checkpoint.size, minimumIndexFromCheckpoint(checkpoint)),
    readTile: createTileReader(auditDatabase),
  });
}

async function* streamRows(queries: Queryable, size: number, minimumIndex: number): AsyncGenerator<ExportRow> {
  for (let from = 0; from < size; from += chunkRows) {
    const to = Math.min(from + chunkRows, size);
    const records = await listRecordRange(queries, from, to);
    const rows: ExportRow[] = records.map((record) => ({
      index: record.sequence,
      record: recordToAuditRecord(record),
      salt: record.salt,
    }));
    const pruned = from < minimumIndex ? await prunedRows(queries, from, Math.min(to, minimumIndex), rows) : [];
    yield* [...rows, ...pruned].sort((a, b) => a.index - b.index);
  }
}

/** Below the signed minimum index a record may be gone by retention: its leaf stands for it. */
async function prunedRows(
  queries: Queryable,
  from: number,
  to: number,
  rows: readonly ExportRow[],
): Promise<ExportRow[]> {
  const there = new Set(rows.map(({ index }) => index));
  const entries = await readEntries(queries, from, to - from);
  return entries
    .map(({ sequence, entry }) => ({ index: sequence, leafHash: leafHash(entry) }))
    .filter(({ index }) => !there.has(index));
}
