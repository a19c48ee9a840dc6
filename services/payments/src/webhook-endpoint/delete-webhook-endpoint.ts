import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  DeleteWebhookEndpointRequest,
  DeleteWebhookEndpointResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { deleteEndpoint } from './webhook-endpoint-store.ts';

export async function deleteWebhookEndpoint(
  { database }: Pick<Deps, 'database'>,
  request: DeleteWebhookEndpointRequest,
  call: Call,
): Promise<MessageInitShape<typeof DeleteWebhookEndpointResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  await database.transaction(act, async (tx) => {
    if (!(await deleteEndpoint(tx, request.id, userId))) throw errors.WEBHOOK_ENDPOINT_NOT_FOUND();
    await appendEvent(tx, act, {
      action: 'SYSTEM_CONFIG_CHANGED',
      resourceType: 'system_config',
      resourceId: request.id,
      subjectId: userId,
      details: { what: 'webhook endpoint deleted' },
    });
  });
  return {};
}
