import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListDeliveriesRequest,
  ListDeliveriesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { pageSizeOf, pageToken, readPageToken, splitPage } from '../paging/page-token.ts';
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
  const size = pageSizeOf(request.pageSize);
  const scope = ['deliveries', userId, endpoint.id];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const { page, last } = splitPage(await listDeliveryRows(deps.database, endpoint.id, after, size + 1), size);
  return {
    deliveries: page.map(webhookDeliveryToProto),
    nextPageToken: last === undefined ? '' : pageToken(deps.keyring, scope, [last.createTime, last.id]),
  };
}
