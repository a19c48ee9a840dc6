import { type Database, type Queryable, serviceAct } from '@strongroom/platform/database';
import {
  HASH_BYTES,
  inclusionProof,
  isInclusionProofValid,
  isSameHash,
  leafHash,
  type ReadTile,
  recordToEntry,
  TILE_WIDTH,
  TlogError,
  tileWidth,
} from '@strongroom/tlog';
import { recordToAuditRecord } from '../audit/audit-record.ts';
import { listRecordRange, type SequencedRecord } from '../audit/audit-store.ts';
import { createTileReader, readLogState } from '../audit/log-store.ts';
import { findEvidenceRange, type SequenceRange } from '../audit/period-bounds.ts';
import { errors } from '../errors.ts';
import type { Checkpointer } from '../transparency/checkpointer.ts';
import type { GenuineCheckpoint } from '../transparency/genuine-checkpoints.ts';
import type { RangeEvidence, ReportLine } from './report.ts';

/** Every record of the range is hashed: about four seconds of work at most. */
const rangeMax = 200_000;
const linesMax = 50_000;
const faultsMax = 10;

export interface EvidenceDeps {
  readonly auditDatabase: Database;
  readonly checkpointer: Checkpointer;
}

/**
 * The records of a period that `isLine` takes, and whether the range of the log they stand in is whole. What the database
 * says of the log's size and root beside the signed checkpoint counts for nothing.
 */
export async function collectEvidence(
  { auditDatabase, checkpointer }: EvidenceDeps,
  { startTime: from, endTime: to }: { startTime: string; endTime: string },
  isLine: (record: SequencedRecord) => boolean,
): Promise<{ evidence: RangeEvidence; lines: ReportLine[] }> {
  const newest = await checkpointer.cover(0);
  const state = await readLogState(auditDatabase);
  const size = Math.max(state.size, newest.size);
  const range = await findEvidenceRange(auditDatabase, { from, to }, { ...newest, size });
  if (range.last - range.first >= rangeMax) throw errors.REPORT_TOO_LARGE();
  const checkpoint = await checkpointer.cover(range.last + 1);
  const act = serviceAct('admin');
  return auditDatabase.transaction(act, (tx) => readRange(tx, range, checkpoint, isLine), { readOnly: true });
}

async function readRange(
  queries: Queryable,
  range: SequenceRange,
  checkpoint: GenuineCheckpoint,
  isLine: (record: SequencedRecord) => boolean,
): Promise<{ evidence: RangeEvidence; lines: ReportLine[] }> {
  const faults: string[] = [];
  const lines: ReportLine[] = [];
  let recordCount = 0;
  for (let tile = Math.floor(range.first / TILE_WIDTH); tile * TILE_WIDTH <= range.last; tile += 1) {
    const from = Math.max(range.first, tile * TILE_WIDTH);
    const to = Math.min(range.last + 1, (tile + 1) * TILE_WIDTH);
    const records = await listRecordRange(queries, from, to);
    recordCount += records.length;
    if (faults.length < faultsMax) faults.push(...(await faultsOf(queries, tile, { from, to }, records, checkpoint)));
    lines.push(...records.filter(isLine));
    if (lines.length > linesMax) throw errors.REPORT_TOO_LARGE();
  }
  const { first: firstSequence, last: lastSequence } = range;
  const evidence = {
    firstSequence,
    lastSequence,
    recordCount,
    faults: faults.slice(0, faultsMax),
    checkpoint: checkpoint.note,
  };
  return { evidence, lines };
}

/**
 * Each position must hold one record, and that record must be the one its leaf commits to. The leaves could have been
 * changed together with the records, so they must lead to the signed root: the proof of one leaf of a tile is made of all
 * the others.
 */
async function faultsOf(
  queries: Queryable,
  tile: number,
  { from, to }: { from: number; to: number },
  records: readonly SequencedRecord[],
  head: GenuineCheckpoint,
): Promise<string[]> {
  const readTile = createTileReader(queries);
  const leaves = await readTile(0, tile, tileWidth(0, tile, head.size));
  if (!leaves) return [`the leaves of records ${from} to ${to - 1} are missing`];
  const leafAt = (sequence: number) => leaves.subarray((sequence % TILE_WIDTH) * HASH_BYTES).subarray(0, HASH_BYTES);
  if (!(await isLeafSigned(leafAt(from), from, head, readTile))) {
    return [`the leaves of records ${from} to ${to - 1} do not lead to the signed root`];
  }
  const bySequence = new Map(records.map((record) => [record.sequence, record]));
  return Array.from({ length: to - from }, (_, at) => from + at).flatMap((sequence) => {
    const record = bySequence.get(sequence);
    if (!record) return [`record ${sequence} is ${sequence < head.minimumIndex ? 'past its retention' : 'missing'}`];
    return isLeafOf(record, leafAt(sequence)) ? [] : [`record ${sequence} was changed`];
  });
}

async function isLeafSigned(
  leaf: Uint8Array,
  index: number,
  { size, root }: GenuineCheckpoint,
  readTile: ReadTile,
): Promise<boolean> {
  try {
    return isInclusionProofValid({ leaf, index, size, proof: await inclusionProof(index, size, readTile), root });
  } catch (error) {
    // Tiles that are gone.
    if (error instanceof TlogError) return false;
    throw error;
  }
}

function isLeafOf(record: SequencedRecord, leaf: Uint8Array): boolean {
  try {
    return isSameHash(leafHash(recordToEntry(recordToAuditRecord(record), record.salt)), leaf);
  } catch (error) {
    // A row that was turned into something that can't be a record.
    if (error instanceof TlogError) return false;
    throw error;
  }
}
