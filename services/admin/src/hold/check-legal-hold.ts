import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CheckLegalHoldRequest,
  CheckLegalHoldResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { findActiveHold } from './hold-store.ts';

/** A hint for whoever begins an erasure; EraseSubject itself refuses a held person under the lock. */
export async function checkLegalHold(
  { database }: { readonly database: Database },
  request: CheckLegalHoldRequest,
): Promise<MessageInitShape<typeof CheckLegalHoldResponseSchema>> {
  return { held: (await findActiveHold(database, request.userId)) !== undefined };
}
