import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CancelMfaRecoveryRequest,
  CancelMfaRecoveryResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { recoveryToProto } from './recovery-proto.ts';
import { cancelRecovery } from './recovery-store.ts';
import { recoveryEvent } from './start-mfa-recovery.ts';

/** The owner's answer to a recovery that somebody else asked for. */
export async function cancelMfaRecovery(
  deps: Deps,
  { id }: CancelMfaRecoveryRequest,
  call: Call,
): Promise<MessageInitShape<typeof CancelMfaRecoveryResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const recovery = await deps.database.transaction(act, async (tx) => {
    const row = await cancelRecovery(tx, id, userId);
    if (row === undefined) throw errors.RECOVERY_NOT_FOUND();
    await appendEvent(tx, act, recoveryEvent(id, userId, 'cancelled'));
    return row;
  });
  return { recovery: recoveryToProto(recovery) };
}
