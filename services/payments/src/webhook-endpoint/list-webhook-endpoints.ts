import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListWebhookEndpointsRequest,
  ListWebhookEndpointsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { pageSizeOf, pageToken, readPageToken, splitPage } from '../paging/page-token.ts';
import { webhookEndpointToProto } from './webhook-endpoint-proto.ts';
import { listEndpointRows } from './webhook-endpoint-store.ts';

export async function listWebhookEndpoints(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListWebhookEndpointsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListWebhookEndpointsResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const size = pageSizeOf(request.pageSize);
  const scope = ['webhook-endpoints', userId];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const { page, last } = splitPage(await listEndpointRows(deps.database, userId, after, size + 1), size);
  return {
    webhookEndpoints: page.map(webhookEndpointToProto),
    nextPageToken: last === undefined ? '' : pageToken(deps.keyring, scope, [last.createTime, last.id]),
  };
}
