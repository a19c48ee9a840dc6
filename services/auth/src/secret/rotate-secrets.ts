import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RotateSecretsRequest,
  RotateSecretsResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { rotationToProto, signingKeyToProto } from './secret-proto.ts';

/** S3.1a: a new key without restart and without one failed request; the event is in the rotation's transaction. */
export async function rotateSecrets(
  deps: Deps,
  request: RotateSecretsRequest,
  call: Call,
): Promise<MessageInitShape<typeof RotateSecretsResponseSchema>> {
  const { key, rotation } = await deps.signingKeys.rotate(actOf(call), {
    reason: request.reason,
    lifeDays: request.expiresInDays || deps.config.SIGNING_KEY_LIFE_DAYS,
    actorId: requirePrincipal(call).userId,
  });
  return { key: signingKeyToProto(key, Date.now()), rotation: rotationToProto(rotation) };
}
