import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetConsistencyProofRequest,
  GetConsistencyProofResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { consistencyProof } from '@strongroom/tlog';
import { createTileReader } from '../audit/log-store.ts';
import { errors } from '../errors.ts';
import type { TransparencyDeps } from './get-inclusion-proof.ts';

/** A proof that the log of the later size begins with the whole log of the earlier one. */
export async function getConsistencyProof(
  { auditDatabase, checkpointer }: TransparencyDeps,
  request: GetConsistencyProofRequest,
): Promise<MessageInitShape<typeof GetConsistencyProofResponseSchema>> {
  const fromSize = Number(request.fromSize);
  const toSize = Number(request.toSize);
  const later = toSize === 0 ? await checkpointer.cover(fromSize) : await checkpointer.ofSize(toSize);
  if (!later || later.size < fromSize) throw errors.CHECKPOINT_NOT_FOUND();
  return {
    fromSize: BigInt(fromSize),
    toSize: BigInt(later.size),
    hashes: await consistencyProof(fromSize, later.size, createTileReader(auditDatabase)),
    checkpoint: later.note,
  };
}
