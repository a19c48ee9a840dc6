import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetMfaStatusRequest, GetMfaStatusResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { mfaRequiredRolesOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { passkeyToProto } from '../passkey/passkey-proto.ts';
import { listPasskeys } from '../passkey/passkey-store.ts';
import { findUser } from '../user/user-store.ts';
import { countBackupCodes, findTotp } from './mfa-store.ts';

export async function getMfaStatus(
  deps: Deps,
  _request: GetMfaStatusRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetMfaStatusResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const user = await findUser(deps.database, userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  const totp = await findTotp(deps.database, userId);
  const passkeys = await listPasskeys(deps.database, userId);
  return {
    enabled: user.mfaEnabled,
    totp: totp?.seed != null,
    passkeys: passkeys.map(passkeyToProto),
    backupCodesLeft: await countBackupCodes(deps.database, userId),
    required: mfaRequiredRolesOf(deps.config).includes(user.role),
  };
}
