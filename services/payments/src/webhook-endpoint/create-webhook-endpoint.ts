import type { MessageShape } from '@bufbuild/protobuf';
import {
  type CreateWebhookEndpointRequest,
  CreateWebhookEndpointResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { runIdempotent } from '../idempotency/idempotent.ts';
import { makeWebhookSecret, requireEventTypes } from './webhook-endpoint.ts';
import { webhookEndpointToProto } from './webhook-endpoint-proto.ts';
import { countEndpoints, insertEndpoint } from './webhook-endpoint-store.ts';

const endpointsMax = 20;

/** The secret is shown in this answer alone; the database holds it sealed. */
export async function createWebhookEndpoint(
  deps: Deps,
  request: CreateWebhookEndpointRequest,
  call: Call,
): Promise<MessageShape<typeof CreateWebhookEndpointResponseSchema>> {
  const { userId } = requirePrincipal(call);
  requireEventTypes(request.eventTypes);
  if (!deps.webhookTargets.isAllowedUrl(request.url)) {
    const message = 'is no https address of a public host';
    throw errors.WEBHOOK_TARGET_REFUSED({ violations: [{ field: 'url', rule: 'webhook.target', message }] });
  }
  return runIdempotent(deps, CreateWebhookEndpointResponseSchema, request, call, async (tx) => {
    if ((await countEndpoints(tx, userId)) >= endpointsMax) throw errors.LIMIT_REACHED();
    const id = uuidv7(deps.now());
    const secret = makeWebhookSecret();
    const createTime = new Date(deps.now()).toISOString();
    const endpoint = { id, url: request.url, eventTypes: request.eventTypes, enabled: true, createTime };
    await insertEndpoint(tx, deps.cipher, userId, { ...endpoint, secret });
    await appendEvent(tx, actOf(call), {
      action: 'SYSTEM_CONFIG_CHANGED',
      resourceType: 'system_config',
      resourceId: id,
      subjectId: userId,
      details: { what: 'webhook endpoint created' },
    });
    return { webhookEndpoint: webhookEndpointToProto(endpoint), secret };
  });
}
