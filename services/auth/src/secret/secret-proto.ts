import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { SecretRotationSchema, SigningKeySchema } from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { canVerifyNow, type SigningKeyRow } from './signing-key.ts';
import type { RotationRow } from './signing-key-store.ts';

/** S3.1b: ids, times and states; there is no place for a secret. Keys by configuration have no times. */
export function signingKeyToProto(key: SigningKeyRow, nowMs: number): MessageInitShape<typeof SigningKeySchema> {
  const isConfigured = key.publicJwk === undefined;
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    active: key.isActive,
    canVerify: canVerifyNow(key, nowMs),
    createTime: isConfigured ? undefined : timestampFromMs(Math.floor(key.createTimeMs)),
    expireTime: isConfigured ? undefined : timestampFromMs(Math.floor(key.expireTimeMs)),
  };
}

export function rotationToProto(rotation: RotationRow): MessageInitShape<typeof SecretRotationSchema> {
  return {
    id: rotation.id,
    oldKid: rotation.oldKid ?? '',
    newKid: rotation.newKid,
    actorId: rotation.actorId ?? '',
    reason: rotation.reason,
    createTime: timestampToProto(rotation.createTime),
  };
}
