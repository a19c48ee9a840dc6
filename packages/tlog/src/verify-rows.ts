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
  /**
   * Whether others than the log stand by it. The log's own key can sign any history, so what it alone has signed may
   * convict it, but never clears the rows before.
   */
  readonly isVouchedFor: boolean;
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
  /** How many hashes there were. */
  readonly size: number;
  /** The largest milestone others vouch for whose root these hashes lead to; 0 if none. */
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

export interface RowExpectation {
  readonly size: number;
  readonly tiles: boolean;
  readonly minimumIndex: number;
  /** By growing size, the head included. */
  readonly milestones: readonly Milestone[];
}

export interface RowCheck {
  /** A parsed line, or why it could not be parsed. */
  accept(line: ExportLine | { readonly kind: 'damaged'; readonly why: string }): void;
  finish(): RowFindings;
  /** The row that is due next. */
  readonly nextIndex: number;
}

/** Where the reading of an export stands. */
interface Reading {
  readonly expected: RowExpectation;
  readonly rows: PrefixCheck;
  readonly tiles: PrefixCheck;
  problem: RowProblem | undefined;
  nextIndex: number;
  nextTile: number;
  /** The stored hashes of the tile being read, from row `first` on. */
  tile: { readonly first: number; readonly hashes: readonly Uint8Array[] };
  rowLines: number;
  rowsHashed: number;
  rowsPruned: number;
  endCount: number | undefined;
}

/**
 * Checks the lines of an export one by one, in constant memory: re-hashes each row, compares it with the stored tile
 * before it, and both with the milestones.
 */
export function createRowCheck(expected: RowExpectation): RowCheck {
  const reading: Reading = {
    expected,
    rows: createPrefixCheck(expected.milestones),
    tiles: createPrefixCheck(expected.milestones),
    problem: undefined,
    nextIndex: 0,
    nextTile: 0,
    tile: { first: 0, hashes: [] },
    rowLines: 0,
    rowsHashed: 0,
    rowsPruned: 0,
    endCount: undefined,
  };
  return {
    get nextIndex() {
      return reading.nextIndex;
    },
    accept: (line) => acceptLine(reading, line),
    finish: () => finish(reading),
  };
}

function acceptLine(reading: Reading, line: Parameters<RowCheck['accept']>[0]): void {
  if (reading.endCount !== undefined) {
    report(reading, 'DAMAGED_FILE', reading.nextIndex, 'something follows the end line');
  } else if (line.kind === 'tile') {
    acceptTile(reading, line.tile, line.hashes);
  } else if (line.kind === 'row') {
    reading.rowsHashed += 1;
    acceptRow(reading, line.index, leafHash(entryFromCanonicalJson(line.canonical, line.salt)));
  } else if (line.kind === 'pruned') {
    reading.rowsPruned += 1;
    acceptRow(reading, line.index, line.leaf);
    const { minimumIndex } = reading.expected;
    const why = `it is left out as pruned, but the signed minimum index is ${minimumIndex}`;
    if (line.index >= minimumIndex) report(reading, 'PRUNED_TOO_EARLY', line.index, why);
  } else if (line.kind === 'unreadable') {
    acceptRow(reading, line.index, undefined);
    report(reading, 'UNREADABLE_ROW', line.index, `the stored row is no audit record: ${line.why}`);
  } else if (line.kind === 'end') {
    reading.endCount = line.count;
  } else {
    acceptDamagedLine(reading, line.why);
  }
}

function acceptTile(reading: Reading, tile: number, bytes: Uint8Array | null): void {
  const { size } = reading.expected;
  const first = tile * TILE_WIDTH;
  const due = Math.min(first, size);
  if (reading.nextIndex < due) reportMissing(reading, reading.nextIndex, due);
  reading.nextIndex = Math.max(reading.nextIndex, due);
  const hashes = bytes === null ? [] : hashesFromTile(bytes);
  if (tile !== reading.nextTile || hashes.length !== tileWidth(0, tile, size)) {
    const why = bytes === null ? 'the log has lost its tile of stored hashes' : 'the tile before it is not the one due';
    report(reading, 'DAMAGED_TILE', due, why);
    reading.tiles.stop();
  }
  reading.nextTile = tile + 1;
  reading.tile = { first, hashes };
  for (const hash of hashes) reading.tiles.append(hash);
}

/** `leaf` is undefined for a row that is there but cannot be hashed. */
function acceptRow(reading: Reading, index: number, leaf: Uint8Array | undefined): void {
  const { size, tiles } = reading.expected;
  reading.rowLines += 1;
  if (index >= size || index < reading.nextIndex) {
    reportMisplaced(reading, index);
    return;
  }
  if (index > reading.nextIndex) reportMissing(reading, reading.nextIndex, index);
  reading.nextIndex = index + 1;
  const tileEnd = reading.nextTile * TILE_WIDTH;
  if (tiles && index >= tileEnd) {
    report(reading, 'DAMAGED_TILE', tileEnd, 'the file lacks its tile of stored hashes');
    reading.tiles.stop();
  }
  if (leaf === undefined) {
    reading.rows.stop();
    return;
  }
  const stored = reading.tile.hashes[index - reading.tile.first];
  if (stored && !isSameHash(stored, leaf)) {
    report(reading, 'CHANGED_ROW', index, 'it does not hash to the stored hash');
  }
  reading.rows.append(leaf);
}

/** A line nobody can read stands for what was due at its place: a tile, a row or the end. */
function acceptDamagedLine(reading: Reading, why: string): void {
  const { size, tiles } = reading.expected;
  const index = reading.nextIndex;
  if (tiles && reading.nextTile * TILE_WIDTH === index && index < size) {
    report(reading, 'DAMAGED_TILE', index, `the line of its tile of stored hashes cannot be read: ${why}`);
    reading.tiles.stop();
    reading.tile = { first: index, hashes: [] };
    reading.nextTile += 1;
  } else if (index < size) {
    report(reading, 'UNREADABLE_ROW', index, `its line cannot be read: ${why}`);
    acceptRow(reading, index, undefined);
  } else {
    report(reading, 'DAMAGED_FILE', index, `the end line cannot be read: ${why}`);
  }
}

function finish(reading: Reading): RowFindings {
  const { size, tiles } = reading.expected;
  const { nextIndex, nextTile, endCount, rowLines, rowsHashed, rowsPruned } = reading;
  if (nextIndex < size) reportMissing(reading, nextIndex, size);
  if (endCount === undefined) {
    report(reading, 'DAMAGED_FILE', size, 'the file has no end line');
  } else if (endCount !== rowLines) {
    report(reading, 'DAMAGED_FILE', size, `the end line counts ${endCount} rows, the file holds ${rowLines}`);
  }
  if (tiles && nextTile * TILE_WIDTH < size) {
    report(reading, 'DAMAGED_TILE', nextTile * TILE_WIDTH, 'the file lacks its tile of stored hashes');
  }
  return {
    problem: reading.problem,
    rows: reading.rows.findings(),
    tiles: tiles ? reading.tiles.findings() : undefined,
    rowsHashed,
    rowsPruned,
  };
}

/** Lines come in the order of their rows, so the first report is that of the first bad row. */
function report(reading: Reading, code: RowProblemCode, index: number, why: string): void {
  reading.problem ??= { code, index, why };
}

function reportMissing(reading: Reading, from: number, to: number): void {
  reading.rows.stop();
  const { problem } = reading;
  if (problem?.code === 'MISSING_ROWS' && problem.to === from) reading.problem = { ...problem, to };
  reading.problem ??= { code: 'MISSING_ROWS', index: from, to, why: 'the export has no such rows' };
}

/** A row that is not due: beyond the checkpoint, a second time, too late, or under a false index. */
function reportMisplaced(reading: Reading, index: number): void {
  reading.rows.stop();
  const { problem, nextIndex, expected } = reading;
  // What looked like a gap was a row that stands further on.
  if (problem?.code === 'MISSING_ROWS' && index >= problem.index && index < (problem.to ?? 0)) {
    reading.problem = { code: 'OUT_OF_ORDER', index: problem.index, why: 'another row stands in its place' };
  }
  if (nextIndex < expected.size) {
    report(reading, 'OUT_OF_ORDER', nextIndex, `row ${index} stands in its place`);
  } else {
    report(reading, 'EXTRA_ROWS', nextIndex, `the checkpoint covers ${expected.size} rows only, row ${index} follows`);
  }
}

type PrefixCheck = ReturnType<typeof createPrefixCheck>;

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
      else if (firstBad === undefined && milestone.isVouchedFor) lastGoodSize = milestone.size;
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
