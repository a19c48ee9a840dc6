import {
  type Cosignature,
  minimumIndexFromCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  type Trust,
} from './checkpoint.ts';
import { TlogError } from './errors.ts';
import type { ExportHeader } from './export-format.ts';
import { parseVerifierKey } from './note.ts';
import type { Milestone } from './verify-rows.ts';

export interface TrustOptions {
  /** Verifier keys (type 1) the caller brings; without them, those of the file. */
  readonly logKeys?: readonly string[];
  /** Verifier keys (type 4) the caller brings; without them, those of the file. */
  readonly witnessKeys?: readonly string[];
  /** How many witnesses must have cosigned the head; default 1. 0 takes the log's word alone. */
  readonly quorum?: number;
  /** Checkpoints of the same log from a place the caller trusts: a witness's store, an earlier verification. */
  readonly trustedCheckpoints?: readonly { readonly label: string; readonly note: string | Uint8Array }[];
}

/** Which trust a verification rests on. */
export interface TrustReport {
  readonly logKeys: 'pinned' | 'from the file';
  readonly witnessKeys: 'pinned' | 'from the file' | 'none';
  readonly logNames: readonly string[];
  readonly witnessNames: readonly string[];
  readonly quorum: number;
  readonly trustedCheckpoints: readonly { readonly label: string; readonly size: number }[];
}

export interface ResolvedTrust {
  readonly report: TrustReport;
  readonly head: OpenedCheckpoint;
  readonly minimumIndex: number;
  /** Whether the export offers the stored level-0 tiles. */
  readonly tiles: boolean;
  /** By growing size; the head is among them. */
  readonly milestones: readonly Milestone[];
  /** The largest size enough witnesses have cosigned; 0 if none. */
  readonly witnessedSize: number;
  /** The trusted checkpoint beyond the head, if there is one: the rows between are missing. */
  readonly beyond: Milestone | undefined;
}

export const QUORUM_DEFAULT = 1;

/** Checks every signature of the header by the keys that count. Throws TlogError. */
export function resolveTrust(header: ExportHeader, options: TrustOptions): ResolvedTrust {
  const quorum = options.quorum ?? QUORUM_DEFAULT;
  const isLogPinned = (options.logKeys?.length ?? 0) > 0;
  const isWitnessPinned = (options.witnessKeys?.length ?? 0) > 0;
  // The file's keys are read even where the caller's count instead: a byte changed in them is a byte changed in the file.
  const keysOfFile = { log: header.logKeys.map(parseVerifierKey), witness: header.witnessKeys.map(parseVerifierKey) };
  const logKeys = isLogPinned ? (options.logKeys ?? []).map(parseVerifierKey) : keysOfFile.log;
  const witnessKeys = isWitnessPinned ? (options.witnessKeys ?? []).map(parseVerifierKey) : keysOfFile.witness;
  // Our logs sign under their own name, so a pinned key pins the origin too.
  if (logKeys.some(({ name }) => name !== header.origin)) {
    throw new TlogError('UNTRUSTED_NOTE', `the export is of ${header.origin}, the log key of ${logKeys[0]?.name}`);
  }
  // The quorum of the head is judged later, so that a rewritten log can be told from a young one.
  const trust: Trust = { origin: header.origin, logKeys, witnessKeys, quorum: 0 };
  const opened = header.checkpoints.map((note) => openCheckpoint(note, trust));
  const head = opened.at(-1);
  if (!head) throw new TlogError('MALFORMED_EXPORT', 'the export has no checkpoint');
  requireGrowing(opened);
  const minimumIndex = minimumIndexFromCheckpoint(head.checkpoint);
  if (minimumIndex !== header.minimumIndex) {
    throw new TlogError('MALFORMED_EXPORT', `the minimum index is ${header.minimumIndex}, signed is ${minimumIndex}`);
  }
  const trusted = (options.trustedCheckpoints ?? []).map(({ label, note }) => {
    const { checkpoint, cosignatures } = openTrusted(label, note, trust);
    return { ...checkpoint, label: describe(`the trusted checkpoint ${label}`, cosignatures), isVouchedFor: true };
  });
  const ofFile = opened.map(({ checkpoint, cosignatures }) => ({
    ...checkpoint,
    label: describe("the log's checkpoint", cosignatures),
    isVouchedFor: cosignatures.length >= Math.max(1, quorum),
  }));
  const size = head.checkpoint.size;
  const milestones = [...trusted, ...ofFile].filter((milestone) => milestone.size <= size);
  return {
    report: {
      logKeys: isLogPinned ? 'pinned' : 'from the file',
      witnessKeys: isWitnessPinned ? 'pinned' : witnessKeys.length > 0 ? 'from the file' : 'none',
      logNames: logKeys.map(({ name }) => name),
      witnessNames: witnessKeys.map(({ name }) => name),
      quorum,
      trustedCheckpoints: trusted.map((milestone, at) => ({
        label: options.trustedCheckpoints?.[at]?.label ?? '',
        size: milestone.size,
      })),
    },
    head,
    minimumIndex,
    tiles: header.tiles,
    milestones: milestones.sort((a, b) => a.size - b.size),
    witnessedSize: Math.max(0, ...opened.filter((it) => it.cosignatures.length >= quorum).map(sizeOf)),
    beyond: trusted.filter((milestone) => milestone.size > size).sort((a, b) => b.size - a.size)[0],
  };
}

function openTrusted(label: string, note: string | Uint8Array, trust: Trust): OpenedCheckpoint {
  try {
    return openCheckpoint(note, trust);
  } catch (cause) {
    throw new TlogError('UNTRUSTED_NOTE', `the trusted checkpoint ${label}: ${(cause as Error).message}`, { cause });
  }
}

function requireGrowing(opened: readonly OpenedCheckpoint[]): void {
  for (let at = 1; at < opened.length; at += 1) {
    if (sizeOf(opened[at] as OpenedCheckpoint) < sizeOf(opened[at - 1] as OpenedCheckpoint)) {
      throw new TlogError('MALFORMED_EXPORT', "the export's checkpoints are not in the order of their size");
    }
  }
}

function sizeOf({ checkpoint }: OpenedCheckpoint): number {
  return checkpoint.size;
}

function describe(what: string, cosignatures: readonly Cosignature[]): string {
  const names = cosignatures.map(({ name }) => name).join(', ');
  return names === '' ? what : `${what} (cosigned by ${names})`;
}
