import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  FindUserByEmailRequest,
  FindUserByEmailResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type { Deps } from '../deps.ts';
import { normaliseEmail } from './user.ts';
import { userToProto } from './user-proto.ts';
import { findUserByEmailAddress } from './user-store.ts';

/** An active account by its exact address; absent otherwise, without saying why. */
export async function findUserByEmail(
  deps: Deps,
  { email }: FindUserByEmailRequest,
): Promise<MessageInitShape<typeof FindUserByEmailResponseSchema>> {
  const user = await findUserByEmailAddress(deps.database, normaliseEmail(email));
  return user?.status === 'ACTIVE' ? { user: userToProto(user) } : {};
}
