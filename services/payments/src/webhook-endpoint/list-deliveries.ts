import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListDeliveriesRequest,
  ListDeliveriesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { listDeliveryRows } from './webhook-delivery-store.ts';
import { webhookDeliveryToProto } from './webhook-endpoint-proto.ts';
import { findEndpoint } from './webhook-endpoint-store.ts';

export async function listDeliveries(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListDeliveriesRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListDeliveriesResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const endpoint = await findEndpoint(deps.database, request.id, userId);
  if (endpoint === undefined) throw errors.WEBHOOK_ENDPOINT_NOT_FOUND();
  const scope = ['deliveries', userId, endpoint.id];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listDeliveryRows(deps.database, endpoint.id, page);
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { deliveries: rows.map(webhookDeliveryToProto), nextPageToken };
}
