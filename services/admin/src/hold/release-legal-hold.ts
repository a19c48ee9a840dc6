import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ReleaseLegalHoldRequest,
  ReleaseLegalHoldResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { errors } from '../errors.ts';
import { holdToProto } from './hold-proto.ts';
import { findActiveHold, lockPerson, releaseHold } from './hold-store.ts';

export async function releaseLegalHold(
  { database }: { readonly database: Database },
  request: ReleaseLegalHoldRequest,
  call: Call,
): Promise<MessageInitShape<typeof ReleaseLegalHoldResponseSchema>> {
  const { userId, reason } = request;
  const act = actOf(call);
  const hold = await database.transaction(act, async (tx) => {
    await lockPerson(tx, userId);
    const standing = await findActiveHold(tx, userId);
    if (!standing) throw errors.LEGAL_HOLD_NOT_FOUND();
    await appendEvent(tx, act, {
      action: 'LEGAL_HOLD_CHANGED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { hold: standing.id, change: 'released', reason },
    });
    return releaseHold(tx, standing.id);
  });
  return { legalHold: holdToProto(hold) };
}
