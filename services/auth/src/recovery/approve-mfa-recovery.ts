import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ApproveMfaRecoveryRequest,
  ApproveMfaRecoveryResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { findUser } from '../user/user-store.ts';
import { recoveryToProto } from './recovery-proto.ts';
import { approveRecovery } from './recovery-store.ts';
import { recoveryEvent } from './start-mfa-recovery.ts';

/** Another administrator than the owner; effective after a delay in which the owner, told again, can cancel. */
export async function approveMfaRecovery(
  deps: Deps,
  { id, reason }: ApproveMfaRecoveryRequest,
  call: Call,
): Promise<MessageInitShape<typeof ApproveMfaRecoveryResponseSchema>> {
  const approverId = requirePrincipal(call).userId;
  const act = actOf(call);
  const recovery = await deps.database.transaction(act, async (tx) => {
    const delayS = deps.config.MFA_RECOVERY_DELAY_S;
    const row = await approveRecovery(tx, { id, approverId, reason, delayS });
    const user = row === undefined ? undefined : await findUser(tx, row.userId);
    if (row === undefined || user === undefined) throw errors.RECOVERY_NOT_FOUND();
    const effectiveTime = row.effectiveTime ?? '';
    await sendNotice(tx, deps, user, 'mfa-recovery-approved', { recoveryId: id, effectiveTime });
    await appendEvent(tx, act, recoveryEvent(id, row.userId, 'approved', reason));
    return row;
  });
  return { recovery: recoveryToProto(recovery) };
}
