import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  StartMfaRecoveryRequest,
  StartMfaRecoveryResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findChallenge } from '../mfa/mfa-store.ts';
import { challengeFailuresMax } from '../mfa/open-challenge.ts';
import { sendNotice } from '../notices.ts';
import { challengeIdHash } from '../passkey/passkey.ts';
import { lockUser } from '../user/user-store.ts';
import { recoveryToProto } from './recovery-proto.ts';
import { openRecovery } from './recovery-store.ts';

/** A request that nobody approves in a week has ended. */
const requestLifeS = 604_800;

/** Of a person who has shown the password and lost the factor. Takes nothing away yet, and tells the owner at once. */
export async function startMfaRecovery(
  deps: Deps,
  { challengeId }: StartMfaRecoveryRequest,
  call: Call,
): Promise<MessageInitShape<typeof StartMfaRecoveryResponseSchema>> {
  const challenge = await findChallenge(deps.database, challengeIdHash(challengeId), challengeFailuresMax);
  if (challenge?.isAlive !== true) throw errors.MFA_CHALLENGE_INVALID();
  const { userId } = challenge;
  const act = actAs(call, userId);
  const recovery = await deps.database.transaction(act, async (tx) => {
    const user = await lockUser(tx, userId);
    if (user?.status !== 'ACTIVE') throw errors.MFA_CHALLENGE_INVALID();
    const { row, isNew } = await openRecovery(tx, { id: uuidv7(), userId, lifeS: requestLifeS });
    if (!isNew) return row;
    await sendNotice(tx, deps, user, 'mfa-recovery-requested', { ipAddress: act.ipAddress, recoveryId: row.id });
    await appendEvent(tx, act, recoveryEvent(row.id, userId, 'requested'));
    return row;
  });
  return { recovery: recoveryToProto(recovery) };
}

export function recoveryEvent(id: string, userId: string, step: string, reason = '') {
  return {
    action: 'MFA_RECOVERY' as const,
    resourceType: 'user' as const,
    resourceId: userId,
    subjectId: userId,
    details: { step, recovery: id, ...(reason === '' ? {} : { reason }) },
  };
}
