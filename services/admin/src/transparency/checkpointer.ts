import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@strongroom/platform/database';
import { isServiceError } from '@strongroom/platform/errors';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import {
  consistencyProof,
  isConsistencyProofValid,
  isSameHash,
  minimumIndexToExtensions,
  type NoteSigner,
  rootFromState,
  signCheckpoint,
  TlogError,
  type WitnessClient,
} from '@strongroom/tlog';
import {
  type CheckpointFilter,
  type CheckpointRow,
  createTileReader,
  insertCheckpoint,
  type LogState,
  readLogState,
} from '../audit/log-store.ts';
import { errors } from '../errors.ts';
import { findGenuineCheckpoint, type GenuineCheckpoint } from './genuine-checkpoints.ts';

export interface CheckpointerDeps {
  readonly auditDatabase: Database;
  readonly signer: NoteSigner;
  /** A checkpoint counts once the witness cosigned it (B-log); without a witness the log's word counts. */
  readonly witness?: WitnessClient | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly intervalMs: number;
  /** An interval without events gets a checkpoint too: silence is then a statement, not a gap. */
  readonly heartbeatMs: number;
}

export interface Checkpointer {
  /** The newest checkpoint that counts. */
  latest(): Promise<GenuineCheckpoint | undefined>;
  /** One that counts and covers `size` records, made now if need be. Throws CHECKPOINT_PENDING. */
  cover(size: number): Promise<GenuineCheckpoint>;
  ofSize(size: number): Promise<GenuineCheckpoint | undefined>;
  start(): void;
  stop(): Promise<void>;
}

const retryAfterMs = 1_000;
const msPerS = 1_000;

export function createCheckpointer(deps: CheckpointerDeps): Checkpointer {
  const { witness, logger, metrics, intervalMs } = deps;
  const cosignedOnly = witness !== undefined;
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let making: Promise<void> | undefined;
  let newestTimeMs = performance.now();
  metrics.watch('audit_checkpoint_age_seconds', () => (performance.now() - newestTimeMs) / msPerS);
  metrics.add('audit_verification_failures_total', 0);
  const latest = () => findCheckpoint(deps, { cosignedOnly });
  // All who wait for one at the same time share it.
  const make = () => {
    making ??= makeCheckpoint(deps).finally(() => {
      making = undefined;
    });
    return making;
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await make().catch((error: unknown) => {
        if (isTampering(error)) metrics.increment('audit_verification_failures_total');
        logger.error({ err: error }, 'no checkpoint could be made');
      });
      const newest = await latest().catch(() => undefined);
      if (newest) {
        newestTimeMs = performance.now() - newest.ageSeconds * msPerS;
        metrics.set('audit_checkpoint_size', newest.size);
      }
      await delay(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  return {
    latest,
    ofSize: (size) => findCheckpoint(deps, { cosignedOnly, size }),
    async cover(size) {
      const known = await latest();
      if (known && known.size >= size) return known;
      // One that is being made now may have read the size before the record was there.
      await making?.catch(() => undefined);
      await make();
      const made = await latest();
      if (made && made.size >= size) return made;
      throw errors.CHECKPOINT_PENDING({ retryAfterMs });
    },
    start() {
      loop = run();
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** Whether the stored log is not what it was: an alarm, where an unreachable witness is none. */
function isTampering(error: unknown): boolean {
  return error instanceof TlogError || isServiceError(error, 'LOG_INCONSISTENT');
}

/**
 * Signs the tree as it is, if it has grown or the last checkpoint is old, after checking that it extends what was signed
 * before: a log that was cut short or rewritten gets no signature. Two processes that do this at once sign the same tree.
 */
async function makeCheckpoint(deps: CheckpointerDeps): Promise<void> {
  const { auditDatabase, signer, witness, heartbeatMs, logger, metrics } = deps;
  const before = await findCheckpoint(deps, { cosignedOnly: false }, ({ id }) => {
    metrics.increment('audit_verification_failures_total');
    logger.error({ checkpoint: id }, 'a stored checkpoint is not what its note says or the keys have signed');
  });
  const state = await readLogState(auditDatabase);
  const root = rootFromState(state);
  await requireExtension(deps, before, state, root);
  const counts = before?.size === state.size && (before.cosigned || !witness);
  const isPruned = before && before.minimumIndex !== state.minimumIndex;
  if (counts && !isPruned && before.ageSeconds * msPerS < heartbeatMs) return;
  const note = await signCheckpoint(
    { origin: signer.key.name, size: state.size, root, extensions: minimumIndexToExtensions(state.minimumIndex) },
    [signer],
  );
  const cosigned = witness && (await cosign(deps, witness, note, state.size));
  if (!cosigned && before?.size === state.size && !isPruned && witness) return;
  await insertCheckpoint(auditDatabase, {
    size: state.size,
    root,
    note: cosigned ?? note,
    cosigned: cosigned !== undefined,
  });
  logger.debug({ size: state.size, cosigned: cosigned !== undefined }, 'checkpoint signed');
}

async function findCheckpoint(
  { auditDatabase, signer, witness }: CheckpointerDeps,
  filter: CheckpointFilter,
  onFalse?: (row: CheckpointRow) => void,
): Promise<GenuineCheckpoint | undefined> {
  const witnessKey = await witness?.verifierKey();
  const trust = { origin: signer.key.name, logKeys: [signer.key], witnessKeys: witnessKey ? [witnessKey] : [] };
  return findGenuineCheckpoint(auditDatabase, trust, filter, onFalse);
}

async function requireExtension(
  { auditDatabase }: CheckpointerDeps,
  before: GenuineCheckpoint | undefined,
  state: LogState,
  root: Uint8Array,
): Promise<void> {
  if (!before) return;
  const { size: oldSize, root: oldRoot } = before;
  if (state.size < oldSize || (state.size === oldSize && !isSameHash(root, oldRoot))) throw errors.LOG_INCONSISTENT();
  const proof = await consistencyProof(oldSize, state.size, createTileReader(auditDatabase));
  if (!isConsistencyProofValid({ oldSize, oldRoot, size: state.size, root, proof })) throw errors.LOG_INCONSISTENT();
}

/** The note with the witness's line; undefined while it can't be reached. A witness that is ahead is an alarm: it throws. */
async function cosign(
  deps: CheckpointerDeps,
  witness: WitnessClient,
  note: string,
  size: number,
): Promise<string | undefined> {
  const { auditDatabase, logger } = deps;
  const last = await findCheckpoint(deps, { cosignedOnly: true });
  const readTile = createTileReader(auditDatabase);
  try {
    const cosigned = await witness.cosign({
      note,
      oldSize: last?.size ?? 0,
      readProof: (oldSize) => consistencyProof(Math.min(oldSize, size), size, readTile),
    });
    return cosigned.note;
  } catch (error) {
    if (error instanceof TlogError && error.code !== 'WITNESS_REFUSED') throw error;
    logger.warn({ err: error }, 'the witness did not cosign');
    return undefined;
  }
}
