import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RedeliverRequest, RedeliverResponseSchema } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { requeueDelivery } from './webhook-delivery-store.ts';
import { webhookDeliveryToProto } from './webhook-endpoint-proto.ts';
import { findEndpoint } from './webhook-endpoint-store.ts';

/** The same id and the same bytes, so that a receiver that has them knows it. */
export async function redeliver(
  { database, signals }: Pick<Deps, 'database' | 'signals'>,
  request: RedeliverRequest,
  call: Call,
): Promise<MessageInitShape<typeof RedeliverResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const delivery = await database.transaction(actOf(call), async (tx) => {
    const endpoint = await findEndpoint(tx, request.id, userId);
    if (endpoint === undefined) throw errors.WEBHOOK_ENDPOINT_NOT_FOUND();
    if (!endpoint.enabled) throw errors.WEBHOOK_ENDPOINT_DISABLED();
    return requeueDelivery(tx, request.deliveryId, endpoint.id);
  });
  if (delivery === undefined) throw errors.DELIVERY_NOT_FOUND();
  signals.raise('webhook-delivery');
  return { delivery: webhookDeliveryToProto(delivery) };
}
