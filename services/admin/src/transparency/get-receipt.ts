import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetReceiptRequest,
  GetReceiptResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { errors } from '../errors.ts';
import { proveInclusion, type TransparencyDeps } from './get-inclusion-proof.ts';

/** The proof of GetInclusionProof for another service to hand on (B-receipt). None once the record is past its retention. */
export async function getReceipt(
  deps: TransparencyDeps,
  { eventId }: GetReceiptRequest,
): Promise<MessageInitShape<typeof GetReceiptResponseSchema>> {
  const { proof, record } = await proveInclusion(deps, { eventId });
  if (!record) throw errors.AUDIT_EVENT_NOT_FOUND();
  const { source, resourceId, actorId } = record;
  return { tlogProof: proof.tlogProof ?? '', source, resourceId, actorId };
}
