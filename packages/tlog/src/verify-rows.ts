import { entryFromCanonicalJson } from './commitment.ts';
import type { ExportLine } from './export-format.ts';
import { isSameHash, leafHash } from './hash.ts';
import { hashesFromTile, TILE_WIDTH, tileWidth } from './tile.ts';
import { createCompactRange } from './tree.ts';

/** A signed statement about the first `size` rows. */
export interface Milestone {
  readonly size: number;
  readonly root: Uint8Array;
  /** Whose statement it is, for messages. */
  readonly label: string;
}

export type RowProblemCode =
  | 'MISSING_ROWS'
  | 'OUT_OF_ORDER'
  | 'CHANGED_ROW'
  | 'UNREADABLE_ROW'
  | 'PRUNED_TOO_EARLY'
  | 'EXTRA_ROWS'
  | 'DAMAGED_TILE'
  | 'DAMAGED_FILE';

export interface RowProblem {
  readonly code: RowProblemCode;
  /** The first row it concerns. */
  readonly index: number;
  /** For MISSING_ROWS: the row after the last missing one. */
  readonly to?: number;
  readonly why: string;
}

/** What a sequence of leaf hashes says about the milestones. */
export interface PrefixFindings {
  readonly size: number;
  /** The largest milestone whose root these hashes lead to; 0 if none. */
  readonly lastGoodSize: number;
  /** The first milestone they do not lead to. */
  readonly firstBad: Milestone | undefined;
}

export interface RowFindings {
  /** The first thing found wrong, going from the first row to the last. */
  readonly problem: RowProblem | undefined;
  /** From re-hashing the rows; ends at the first row that could not be hashed. */
  readonly rows: PrefixFindings;
  /** From the stored level-0 tiles; undefined if the export has none. */
  readonly tiles: PrefixFindings | undefined;
  readonly rowsHashed: number;
  readonly rowsPruned: number;
}

export interface RowCheck {
  /** A parsed line, or why it could not be parsed. */
  accept(line: ExportLine | { readonly kind: 'damaged'; readonly why: string }): void;
  finish(): RowFindings;
  readonly nextIndex: number;
}

/**
 * Checks the lines of an export one by one, in constant memory: re-hashes each row, compares it with the stored tile
 * before it, and both with the milestones (ordered by size, the head included).
 */
export function createRowCheck(expected: {
  size: number;
  tiles: boolean;
  minimumIndex: number;
  milestones: readonly Milestone[];
}): RowCheck {
  const { size, minimumIndex, milestones } = expected;
  const rows = createPrefixCheck(milestones);
  const tiles = createPrefixCheck(milestones);
  let problem: RowProblem | undefined;
  let next = 0;
  let nextTile = 0;
  let tile: { first: number; hashes: Uint8Array[] } | undefined;
  let rowLines = 0;
  let rowsHashed = 0;
  let rowsPruned = 0;
  let endCount: number | undefined;

  const report = (code: RowProblemCode, index: number, why: string) => {
    problem ??= { code, index, why };
  };
  const reportMissing = (from: number, to: number) => {
    rows.stop();
    const isContinued = problem?.code === 'MISSING_ROWS' && problem.to === from;
    if (isContinued) problem = { ...(problem as RowProblem), to };
    problem ??= { code: 'MISSING_ROWS', index: from, to, why: 'the export has no such rows' };
  };
  const acceptTile = (number: number, hashes: Uint8Array | null) => {
    const first = number * TILE_WIDTH;
    if (next < first) reportMissing(next, Math.min(first, size));
    next = Math.max(next, Math.min(first, size));
    const inTile = hashes === null ? [] : hashesFromTile(hashes);
    if (number !== nextTile || inTile.length !== tileWidth(0, number, size)) {
      const why = hashes === null ? 'the log has lost the tile of stored hashes' : 'the tile is not the one due here';
      report('DAMAGED_TILE', first, why);
      tiles.stop();
    }
    nextTile = number + 1;
    tile = { first, hashes: inTile };
    for (const hash of inTile) tiles.append(hash);
  };
  const acceptLeaf = (index: number, leaf: Uint8Array | undefined) => {
    rowLines += 1;
    if (index >= size) return report('EXTRA_ROWS', size, `the checkpoint covers ${size} rows only`);
    if (index < next) {
      const isDisplaced = problem?.code === 'MISSING_ROWS' && index >= problem.index && index < (problem.to ?? 0);
      if (isDisplaced) problem = { code: 'OUT_OF_ORDER', index: problem?.index ?? index, why: 'it stands further on' };
      rows.stop();
      return report('OUT_OF_ORDER', index, 'it stands in the file a second time, or too late');
    }
    if (index > next) reportMissing(next, index);
    next = index + 1;
    if (expected.tiles && index >= nextTile * TILE_WIDTH) {
      report('DAMAGED_TILE', nextTile * TILE_WIDTH, 'the file lacks the tile of stored hashes');
      tiles.stop();
    }
    if (leaf === undefined) return rows.stop();
    const stored = tile?.hashes[index - tile.first];
    if (stored && !isSameHash(stored, leaf)) report('CHANGED_ROW', index, 'it does not hash to the stored hash');
    rows.append(leaf);
  };

  return {
    get nextIndex() {
      return next;
    },
    accept(line) {
      if (endCount !== undefined) return report('DAMAGED_FILE', next, 'something follows the end line');
      if (line.kind === 'tile') return acceptTile(line.tile, line.hashes);
      if (line.kind === 'row') {
        rowsHashed += 1;
        return acceptLeaf(line.index, leafHash(entryFromCanonicalJson(line.canonical, line.salt)));
      }
      if (line.kind === 'pruned') {
        rowsPruned += 1;
        acceptLeaf(line.index, line.leaf);
        const why = `it is left out as pruned, but the signed minimum index is ${minimumIndex}`;
        if (line.index >= minimumIndex) report('PRUNED_TOO_EARLY', line.index, why);
        return;
      }
      if (line.kind === 'unreadable') {
        acceptLeaf(line.index, undefined);
        return report('UNREADABLE_ROW', line.index, `the stored row is no audit record: ${line.why}`);
      }
      if (line.kind === 'end') {
        endCount = line.count;
        return;
      }
      acceptDamagedLine(line.why);
    },
    finish() {
      if (next < size) reportMissing(next, size);
      if (endCount === undefined) report('DAMAGED_FILE', next, 'the file has no end line');
      else if (endCount !== rowLines) {
        report('DAMAGED_FILE', next, `the end line counts ${endCount} rows, the file holds ${rowLines}`);
      }
      if (expected.tiles && nextTile * TILE_WIDTH < size) {
        report('DAMAGED_TILE', nextTile * TILE_WIDTH, 'the file lacks the tile of stored hashes');
      }
      const tileFindings = expected.tiles ? tiles.findings() : undefined;
      return { problem, rows: rows.findings(), tiles: tileFindings, rowsHashed, rowsPruned };
    },
  };

  /** A line nobody can read stands for what was due at its place: a tile, a row or the end. */
  function acceptDamagedLine(why: string): void {
    if (expected.tiles && nextTile * TILE_WIDTH === next && next < size) {
      report('DAMAGED_TILE', next, `the line of its tile of stored hashes cannot be read: ${why}`);
      tiles.stop();
      tile = undefined;
      nextTile += 1;
    } else if (next < size) {
      report('UNREADABLE_ROW', next, `its line cannot be read: ${why}`);
      acceptLeaf(next, undefined);
    } else {
      report('DAMAGED_FILE', next, `the end line cannot be read: ${why}`);
    }
  }
}

function createPrefixCheck(milestones: readonly Milestone[]) {
  const range = createCompactRange();
  let isStopped = false;
  let at = 0;
  let lastGoodSize = 0;
  let firstBad: Milestone | undefined;
  const compare = () => {
    for (; milestones[at]?.size === range.size; at += 1) {
      const milestone = milestones[at] as Milestone;
      if (!isSameHash(range.root(), milestone.root)) firstBad ??= milestone;
      else if (firstBad === undefined) lastGoodSize = milestone.size;
    }
  };
  compare();
  return {
    append(leaf: Uint8Array) {
      if (isStopped) return;
      range.append(leaf);
      compare();
    },
    stop() {
      isStopped = true;
    },
    findings: (): PrefixFindings => ({ size: range.size, lastGoodSize, firstBad }),
  };
}
