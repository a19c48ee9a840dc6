import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  SetLegalHoldRequest,
  SetLegalHoldResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { holdToProto } from './hold-proto.ts';
import { findActiveHold, insertHold, lockPerson } from './hold-store.ts';

/** Keeps a person's data from erasure and retention. Asked again, the hold that stands is the answer. */
export async function setLegalHold(
  { database }: { readonly database: Database },
  request: SetLegalHoldRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetLegalHoldResponseSchema>> {
  const { userId, reason } = request;
  const act = actOf(call);
  const actorId = requirePrincipal(call).userId;
  const hold = await database.transaction(act, async (tx) => {
    await lockPerson(tx, userId);
    const standing = await findActiveHold(tx, userId);
    if (standing) return standing;
    const made = await insertHold(tx, { id: uuidv7(), userId, reason, actorId });
    await appendEvent(tx, act, {
      action: 'LEGAL_HOLD_CHANGED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
      details: { hold: made.id, change: 'set' },
    });
    return made;
  });
  return { legalHold: holdToProto(hold) };
}
