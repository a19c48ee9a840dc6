import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListWebhookEndpointsRequest,
  ListWebhookEndpointsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { webhookEndpointToProto } from './webhook-endpoint-proto.ts';
import { listEndpointRows } from './webhook-endpoint-store.ts';

export async function listWebhookEndpoints(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListWebhookEndpointsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListWebhookEndpointsResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const scope = ['webhook-endpoints', userId];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listEndpointRows(deps.database, userId, page);
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { webhookEndpoints: rows.map(webhookEndpointToProto), nextPageToken };
}
