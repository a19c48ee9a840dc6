import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CheckRevocationRequest,
  CheckRevocationResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type { Deps } from '../deps.ts';
import { isRevoked } from './revocation-store.ts';

/** S1.2c: the database's word, for services to which Redis can't say. */
export async function checkRevocation(
  deps: Deps,
  request: CheckRevocationRequest,
): Promise<MessageInitShape<typeof CheckRevocationResponseSchema>> {
  return { revoked: await isRevoked(deps.database, request) };
}
