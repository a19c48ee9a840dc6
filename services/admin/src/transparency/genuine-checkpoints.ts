import type { Queryable } from '@strongroom/platform/database';
import { isSameHash, minimumIndexFromCheckpoint, openCheckpoint, TlogError, type Trust } from '@strongroom/tlog';
import { type CheckpointFilter, type CheckpointRow, listCheckpoints, listNotesBelow } from '../audit/log-store.ts';

/** The keys by which a stored checkpoint is what it says; without witness keys none is cosigned. */
export type CheckpointTrust = Omit<Trust, 'quorum'>;

/** All but its age is what its note says and the keys have signed. */
export interface GenuineCheckpoint extends Omit<CheckpointRow, 'id'> {
  readonly minimumIndex: number;
}

/** One nearly always: only false rows make it read on. */
const rowsAtOnce = 4;

/**
 * The newest checkpoint that counts. Size, root and cosignature are read out of the signed note, never out of the columns:
 * whoever can write a row could have put anything there. Rows that say what the keys didn't sign are passed over, and told of.
 */
export async function findGenuineCheckpoint(
  db: Queryable,
  trust: CheckpointTrust,
  filter: CheckpointFilter,
  onFalse: (row: CheckpointRow) => void = () => undefined,
): Promise<GenuineCheckpoint | undefined> {
  let before: number | undefined;
  for (;;) {
    const rows = await listCheckpoints(db, filter, { before, limit: rowsAtOnce });
    for (const row of rows) {
      const opened = openRow(row, trust);
      if (!opened || (row.cosigned && !opened.cosigned && trust.witnessKeys.length > 0)) onFalse(row);
      if (opened && (opened.cosigned || !filter.cosignedOnly)) return opened;
    }
    before = rows.at(-1)?.id;
    if (rows.length < rowsAtOnce) return undefined;
  }
}

/** Notes of up to `countMax` checkpoints that count, by growing size, spread over the log, the newest one last. */
export async function listGenuineNotes(
  db: Queryable,
  trust: CheckpointTrust,
  { cosignedOnly, countMax }: { readonly cosignedOnly: boolean; readonly countMax: number },
): Promise<string[]> {
  const head = await findGenuineCheckpoint(db, trust, { cosignedOnly });
  if (!head) return [];
  const notes = await listNotesBelow(db, head.size, { cosignedOnly, countMax: countMax - 1 });
  const counts = (note: string) => openNote(note, { ...trust, quorum: cosignedOnly ? 1 : 0 }) !== undefined;
  return [...notes.filter(counts), head.note];
}

function openRow(row: CheckpointRow, trust: CheckpointTrust): GenuineCheckpoint | undefined {
  const { note, ageSeconds } = row;
  const opened = openNote(note, { ...trust, quorum: 0 });
  if (opened?.checkpoint.size !== row.size || !isSameHash(opened.checkpoint.root, row.root)) return undefined;
  const { size, root } = opened.checkpoint;
  const minimumIndex = minimumIndexFromCheckpoint(opened.checkpoint);
  return { size, root, minimumIndex, note, ageSeconds, cosigned: opened.cosignatures.length > 0 };
}

function openNote(note: string, trust: Trust) {
  try {
    return openCheckpoint(note, trust);
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}
