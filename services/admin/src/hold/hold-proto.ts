import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LegalHoldSchema } from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import { optionalTimestampToProto, timestampToProto } from '@strongroom/platform/database';
import type { StoredHold } from './hold-store.ts';

export function holdToProto(hold: StoredHold): MessageInitShape<typeof LegalHoldSchema> {
  const { id, userId, reason, actorId, createTime, releaseTime } = hold;
  return {
    id,
    userId,
    reason,
    actorId,
    createTime: timestampToProto(createTime),
    releaseTime: optionalTimestampToProto(releaseTime),
  };
}
