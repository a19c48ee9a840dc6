import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RegenerateBackupCodesRequest,
  RegenerateBackupCodesResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { lockUser } from '../user/user-store.ts';
import { issueBackupCodes } from './enable-factor.ts';

export async function regenerateBackupCodes(
  deps: Deps,
  _request: RegenerateBackupCodesRequest,
  call: Call,
): Promise<MessageInitShape<typeof RegenerateBackupCodesResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const backupCodes = await deps.database.transaction(act, async (tx) => {
    const user = await lockUser(tx, userId);
    if (user === undefined || !user.mfaEnabled) throw errors.MFA_NOT_ENROLLED();
    await appendEvent(tx, act, {
      action: 'MFA_ENABLED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { factor: 'backup-codes' },
    });
    await sendNotice(tx, deps, user, 'backup-codes-replaced', { ipAddress: act.ipAddress });
    return issueBackupCodes(tx, deps, userId);
  });
  return { backupCodes };
}
