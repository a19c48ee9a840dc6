import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PasskeySchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { optionalTimestampToProto, timestampToProto } from '@strongroom/platform/database';
import type { PasskeyRow } from './passkey-store.ts';

export function passkeyToProto(passkey: PasskeyRow): MessageInitShape<typeof PasskeySchema> {
  return {
    id: passkey.id,
    name: passkey.name,
    createTime: timestampToProto(passkey.createTime),
    lastUsedTime: optionalTimestampToProto(passkey.lastUsedTime),
  };
}
