import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type WebhookDeliverySchema,
  WebhookDeliveryState,
  type WebhookEndpointSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { DeliveryRow } from './webhook-delivery-store.ts';
import type { WebhookEndpointRow } from './webhook-endpoint-store.ts';

const stateToProto: Readonly<Record<DeliveryRow['state'], WebhookDeliveryState>> = {
  pending: WebhookDeliveryState.PENDING,
  delivered: WebhookDeliveryState.DELIVERED,
  failed: WebhookDeliveryState.FAILED,
};

export function webhookEndpointToProto(endpoint: WebhookEndpointRow): MessageInitShape<typeof WebhookEndpointSchema> {
  const { id, url, eventTypes, enabled, createTime } = endpoint;
  return { id, url, eventTypes: [...eventTypes], enabled, createTime: timestampToProto(createTime) };
}

export function webhookDeliveryToProto(delivery: DeliveryRow): MessageInitShape<typeof WebhookDeliverySchema> {
  const { state, nextAttemptTime, createTime, ...same } = delivery;
  return {
    ...same,
    state: stateToProto[state],
    createTime: timestampToProto(createTime),
    ...(nextAttemptTime === null ? {} : { nextAttemptTime: timestampToProto(nextAttemptTime) }),
  };
}
