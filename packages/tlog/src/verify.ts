import { bytesToBase64 } from './base64.ts';
import { type Cosignature, parseUnverifiedCheckpoint } from './checkpoint.ts';
import { TlogError } from './errors.ts';
import { parseHeader, parseLine, readLines } from './export-format.ts';
import {
  createRowCheck,
  type RowCheck,
  type RowFindings,
  type RowProblem,
  type RowProblemCode,
} from './verify-rows.ts';
import { type ResolvedTrust, resolveTrust, type TrustOptions, type TrustReport } from './verify-trust.ts';

export interface VerifyOptions extends TrustOptions {
  /** The export file, as it is read. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The head's youngest cosignature may be at most this old at `nowSeconds`. */
  readonly maxAgeSeconds?: number;
  /** POSIX seconds. */
  readonly nowSeconds: number;
  readonly onProgress?: (rowsDone: number, rowsTotal: number) => void;
}

export type VerifyFailureCode = RowProblemCode | 'REWRITTEN' | 'UNTRUSTED' | 'UNWITNESSED' | 'STALE';

export interface VerifySuccess {
  readonly ok: true;
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly rowsHashed: number;
  readonly rowsPruned: number;
  readonly minimumIndex: number;
  /** How many signed checkpoints the rows were compared with. */
  readonly checkpoints: number;
  readonly cosignatures: readonly Cosignature[];
  readonly trust: TrustReport;
}

export interface VerifyFailure {
  readonly ok: false;
  readonly code: VerifyFailureCode;
  readonly message: string;
  /** The first row that is not as it was logged, as far as the evidence can place it. */
  readonly firstBadIndex?: number;
  /** Rows from `from` up to, not including, `to` are not there. */
  readonly missing?: { readonly from: number; readonly to: number };
  readonly trust?: TrustReport;
}

export type VerifyResult = VerifySuccess | VerifyFailure;

/**
 * Checks an export from its first byte to its last, by public keys alone and in constant memory. Never throws for what
 * the file holds; only for what reading it throws.
 */
export async function verifyExport(options: VerifyOptions): Promise<VerifyResult> {
  const lines = readLines(options.chunks);
  let trust: ResolvedTrust;
  try {
    const first = await lines.next();
    if (first.done) throw new TlogError('MALFORMED_EXPORT', 'the file is empty');
    trust = resolveTrust(parseHeader(first.value), options);
  } catch (error) {
    return headerFailure(error, options);
  }
  const { size } = trust.head.checkpoint;
  const check = createRowCheck({
    size,
    tiles: trust.tiles,
    minimumIndex: trust.minimumIndex,
    milestones: trust.milestones,
  });
  await checkLines(lines, check, () => options.onProgress?.(check.nextIndex, size));
  const findings = check.finish();
  const failure = judgeRows(findings, trust) ?? judgeTail(trust) ?? judgeWitnesses(trust) ?? judgeAge(trust, options);
  if (failure) return { ok: false, ...failure, trust: trust.report };
  return {
    ok: true,
    origin: trust.head.checkpoint.origin,
    size,
    root: bytesToBase64(trust.head.checkpoint.root),
    rowsHashed: findings.rowsHashed,
    rowsPruned: findings.rowsPruned,
    minimumIndex: trust.minimumIndex,
    checkpoints: trust.milestones.length,
    cosignatures: trust.head.cosignatures,
    trust: trust.report,
  };
}

type Verdict = Omit<VerifyFailure, 'ok' | 'trust'>;

async function checkLines(lines: AsyncGenerator<string>, check: RowCheck, onLine: () => void): Promise<void> {
  try {
    for await (const line of lines) {
      check.accept(parseLineOrDamage(line));
      onLine();
    }
  } catch (error) {
    // A file cut in the middle of a line; anything else (a disk that cannot be read) is not the file's fault.
    if (!(error instanceof TlogError)) throw error;
    check.accept({ kind: 'damaged', why: error.message });
  }
}

function parseLineOrDamage(line: string) {
  try {
    return parseLine(line);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return { kind: 'damaged', why: error.message } as const;
  }
}

/** The rows themselves: which is the first that is not as it was signed? */
function judgeRows({ problem, rows, tiles }: RowFindings, { head, beyond }: ResolvedTrust): Verdict | undefined {
  const { size } = head.checkpoint;
  const leadsToRoot = (it: RowFindings['tiles']) => it?.firstBad === undefined && it?.size === size;
  if (!problem && leadsToRoot(rows)) return undefined;
  const earliest = [rows, tiles]
    .filter((it) => it?.firstBad !== undefined)
    .sort((a, b) => (a?.firstBad?.size ?? 0) - (b?.firstBad?.size ?? 0))[0];
  if (earliest?.firstBad && earliest.firstBad.size <= (problem?.index ?? size)) {
    return rewritten(earliest.lastGoodSize, earliest.firstBad, tiles !== undefined);
  }
  if (!problem) return { code: 'DAMAGED_FILE', message: 'The export does not cover the checkpoint.' };
  if (problem.code === 'MISSING_ROWS') {
    const to = problem.to === size && beyond ? beyond.size : (problem.to ?? size);
    return missing(problem.index, to, problem.why);
  }
  if (problem.code === 'CHANGED_ROW') return judgeChangedRow(problem, leadsToRoot(rows), leadsToRoot(tiles), rows);
  const at = problem.code === 'DAMAGED_FILE' ? {} : { firstBadIndex: problem.index };
  return { code: problem.code, message: `Row ${problem.index}: ${problem.why}.`, ...at };
}

/** A row and its stored hash disagree. Whichever of the two leads to the signed root is the true one. */
function judgeChangedRow(
  problem: RowProblem,
  rowsHold: boolean,
  tilesHold: boolean,
  rows: RowFindings['rows'],
): Verdict {
  const { index } = problem;
  if (tilesHold) {
    const message = `Row ${index} was changed: it does not hash to the stored hash, which leads to the signed root.`;
    return { code: 'CHANGED_ROW', firstBadIndex: index, message };
  }
  if (rowsHold) {
    const message = `Row ${index} is as it was signed, but the stored hash of it (its level-0 tile) was changed.`;
    return { code: 'DAMAGED_TILE', firstBadIndex: index, message };
  }
  const message =
    `Row ${index} does not hash to the stored hash, and the stored hashes do not lead to the signed root either: ` +
    `rows from ${rows.lastGoodSize} on cannot be vouched for.`;
  return { code: 'CHANGED_ROW', firstBadIndex: index, message };
}

function rewritten(from: number, milestone: { size: number; label: string }, hasTiles: boolean): Verdict {
  const range = `Rows ${from} to ${milestone.size - 1}`;
  const why = hasTiles
    ? 'were rewritten together with their stored hashes'
    : 'hold a changed row; the export offers no stored hashes that would say which';
  const message = `${range} ${why}: they do not lead to the root of ${milestone.label} of size ${milestone.size}.`;
  return { code: 'REWRITTEN', firstBadIndex: from, message };
}

function missing(from: number, to: number, why: string): Verdict {
  const message = `Rows ${from} to ${to - 1} are missing: ${why}.`;
  return { code: 'MISSING_ROWS', firstBadIndex: from, missing: { from, to }, message };
}

/** A consistent, signed, but shorter log than one that was seen before. */
function judgeTail({ head, beyond }: ResolvedTrust): Verdict | undefined {
  if (!beyond) return undefined;
  return missing(head.checkpoint.size, beyond.size, `${beyond.label} covers ${beyond.size} rows`);
}

/** A checkpoint counts once cosigned: the log's own key can sign a second history (requirement B-log). */
function judgeWitnesses({ head, report, witnessedSize }: ResolvedTrust): Verdict | undefined {
  if (head.cosignatures.length >= report.quorum) return undefined;
  const names = report.witnessNames.join(', ') || 'no witness, as none is known';
  const message =
    `The checkpoint of size ${head.checkpoint.size} carries ${head.cosignatures.length} of ${report.quorum} needed ` +
    `cosignatures (of ${names}): from row ${witnessedSize} on there is only the log's own word.`;
  return { code: 'UNWITNESSED', firstBadIndex: witnessedSize, message };
}

/** Old but genuine checkpoints hide what came after them; cosignatures say how old they are. */
function judgeAge({ head }: ResolvedTrust, { maxAgeSeconds, nowSeconds }: VerifyOptions): Verdict | undefined {
  if (maxAgeSeconds === undefined) return undefined;
  const youngest = Math.max(0, ...head.cosignatures.map(({ timestampSeconds }) => timestampSeconds));
  if (nowSeconds - youngest <= maxAgeSeconds) return undefined;
  const message =
    `The checkpoint was last cosigned ${nowSeconds - youngest} seconds ago, allowed are ${maxAgeSeconds}: ` +
    `rows from ${head.checkpoint.size} on may be missing.`;
  return { code: 'STALE', firstBadIndex: head.checkpoint.size, message };
}

const TRUST_CODES: readonly string[] = ['UNTRUSTED_NOTE', 'BAD_SIGNATURE', 'MALFORMED_KEY'];

function headerFailure(error: unknown, options: VerifyOptions): VerifyFailure {
  if (!(error instanceof TlogError)) throw error;
  if (TRUST_CODES.includes(error.code)) return { ok: false, code: 'UNTRUSTED', message: `${error.message}.` };
  const sizes = (options.trustedCheckpoints ?? []).map(({ note }) => sizeOfNote(note));
  const to = Math.max(0, ...sizes);
  const why = `the export has no usable header (${error.message}), but a trusted checkpoint covers ${to} rows`;
  if (to > 0) return { ok: false, ...missing(0, to, why) };
  return { ok: false, code: 'DAMAGED_FILE', message: `The export has no usable header: ${error.message}.` };
}

function sizeOfNote(note: string | Uint8Array): number {
  try {
    return parseUnverifiedCheckpoint(note).size;
  } catch {
    return 0;
  }
}
