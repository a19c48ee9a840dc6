import type { Client } from '@connectrpc/connect';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { User } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';

/**
 * Users are auth's alone: admin keeps no copy that could say otherwise (older fault 32). What auth refuses is passed on as
 * it stands, with its reason and status; guards such as that of the last administrator are auth's transaction.
 */
export interface UserDeps {
  readonly auth: Client<typeof AuthService>;
}

/** An answer of auth without the account it promises is a fault of ours, not of the caller. */
export function requireUser(user: User | undefined): User {
  if (!user) throw commonErrors.INTERNAL({ cause: new Error('auth answered without the account') });
  return user;
}
