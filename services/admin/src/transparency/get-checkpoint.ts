import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetCheckpointRequest,
  GetCheckpointResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { errors } from '../errors.ts';
import type { Checkpointer } from './checkpointer.ts';

/** The latest checkpoint that counts, or the one of a size. */
export async function getCheckpoint(
  { checkpointer }: { readonly checkpointer: Checkpointer },
  request: GetCheckpointRequest,
): Promise<MessageInitShape<typeof GetCheckpointResponseSchema>> {
  const { treeSize } = request;
  const found = treeSize === undefined ? await checkpointer.cover(0) : await checkpointer.ofSize(Number(treeSize));
  if (!found) throw errors.CHECKPOINT_NOT_FOUND();
  const { note, size, root, cosigned } = found;
  return { checkpoint: note, treeSize: BigInt(size), rootHash: root, cosigned };
}
