import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetInclusionProofRequest,
  GetInclusionProofResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import {
  formatProof,
  formatReceipt,
  inclusionProof,
  isInclusionProofValid,
  leafHash,
  recordToCanonicalJson,
} from '@strongroom/tlog';
import { recordToAuditRecord } from '../audit/audit-record.ts';
import { findRecord, type SequencedRecord } from '../audit/audit-store.ts';
import { createTileReader, findSequence, readEntries } from '../audit/log-store.ts';
import { errors } from '../errors.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { GenuineCheckpoint } from './genuine-checkpoints.ts';

export interface TransparencyDeps {
  readonly auditDatabase: Database;
  readonly checkpointer: Checkpointer;
}

type ProofRequest = Pick<GetInclusionProofRequest, 'sequence' | 'eventId' | 'treeSize'>;
type ProofResponse = MessageInitShape<typeof GetInclusionProofResponseSchema>;

export async function getInclusionProof(deps: TransparencyDeps, request: ProofRequest): Promise<ProofResponse> {
  return (await proveInclusion(deps, request)).proof;
}

/**
 * A proof that its holder checks offline (B-receipt), and the record that it is of, unless that is past its retention. It is
 * checked here first: a damaged log hands out none.
 */
export async function proveInclusion(
  deps: TransparencyDeps,
  request: ProofRequest,
): Promise<{ proof: ProofResponse; record: SequencedRecord | undefined }> {
  const { auditDatabase, checkpointer } = deps;
  const index = await requireSequence(deps, request);
  const [[found], record, latest] = await Promise.all([
    readEntries(auditDatabase, index, 1),
    findRecord(auditDatabase, index),
    request.treeSize === undefined ? checkpointer.latest() : undefined,
  ]);
  if (!found) throw errors.AUDIT_EVENT_NOT_FOUND();
  const isCovered = latest !== undefined && latest.size > index;
  const { size, root, note } = isCovered ? latest : await requireCheckpoint(deps, index, request.treeSize);
  const leaf = leafHash(found.entry);
  const proof = await inclusionProof(index, size, createTileReader(auditDatabase));
  if (!isInclusionProofValid({ leaf, index, size, proof, root })) throw errors.LOG_INCONSISTENT();
  const common = {
    leafIndex: BigInt(index),
    treeSize: BigInt(size),
    leafHash: leaf,
    hashes: proof,
    checkpoint: note,
  };
  return { proof: { ...common, ...openLeaf(record, { index, hashes: proof, checkpoint: note }) }, record };
}

/** What the leaf committed to. Past its retention it is gone, and the leaf is proven as before. */
function openLeaf(
  stored: SequencedRecord | undefined,
  proof: { readonly index: number; readonly hashes: readonly Uint8Array[]; readonly checkpoint: string },
): Pick<ProofResponse, 'tlogProof' | 'salt' | 'canonicalRecord'> {
  if (!stored) return { tlogProof: formatProof(proof) };
  const record = recordToAuditRecord(stored);
  return {
    tlogProof: formatReceipt({ record, salt: stored.salt, ...proof }),
    salt: stored.salt,
    canonicalRecord: recordToCanonicalJson(record),
  };
}

async function requireSequence(
  { auditDatabase }: TransparencyDeps,
  request: Pick<GetInclusionProofRequest, 'sequence' | 'eventId'>,
): Promise<number> {
  const { sequence, eventId } = request;
  if ((sequence === undefined) === (eventId === undefined)) {
    throw commonErrors.VALIDATION_FAILED({
      violations: [{ field: 'sequence', rule: 'one_of', message: 'give either sequence or event_id' }],
    });
  }
  const found = eventId === undefined ? Number(sequence) : await findSequence(auditDatabase, eventId);
  if (found === undefined) throw errors.AUDIT_EVENT_NOT_FOUND();
  return found;
}

async function requireCheckpoint(
  { checkpointer }: TransparencyDeps,
  index: number,
  treeSize: bigint | undefined,
): Promise<GenuineCheckpoint> {
  if (treeSize === undefined) return checkpointer.cover(index + 1);
  const found = await checkpointer.ofSize(Number(treeSize));
  if (!found || found.size <= index) throw errors.CHECKPOINT_NOT_FOUND();
  return found;
}
