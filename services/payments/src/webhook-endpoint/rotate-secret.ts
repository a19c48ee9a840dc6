import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RotateSecretRequest,
  RotateSecretResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { makeWebhookSecret } from './webhook-endpoint.ts';
import { replaceSecret } from './webhook-endpoint-store.ts';

/** webhook.proto: the old one signs beside the new one for 24 hours. */
const overlapS = 86_400;

export async function rotateSecret(
  { database, cipher }: Pick<Deps, 'database' | 'cipher'>,
  { id }: RotateSecretRequest,
  call: Call,
): Promise<MessageInitShape<typeof RotateSecretResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  const secret = makeWebhookSecret();
  await database.transaction(act, async (tx) => {
    const isFound = await replaceSecret(tx, cipher, { id, userId, secret, overlapS });
    if (!isFound) throw errors.WEBHOOK_ENDPOINT_NOT_FOUND();
    await appendEvent(tx, act, { action: 'SECRET_ROTATED', resourceType: 'secret', resourceId: id, subjectId: userId });
  });
  return { secret };
}
