import type { MessageInitShape } from '@bufbuild/protobuf';
import { type MfaRecoverySchema, MfaRecoveryState } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { optionalTimestampToProto, timestampToProto } from '@strongroom/platform/database';
import type { RecoveryRow } from './recovery-store.ts';

export function recoveryToProto(recovery: RecoveryRow): MessageInitShape<typeof MfaRecoverySchema> {
  return {
    id: recovery.id,
    state: MfaRecoveryState[recovery.state],
    createTime: timestampToProto(recovery.createTime),
    effectiveTime: optionalTimestampToProto(recovery.effectiveTime),
  };
}
