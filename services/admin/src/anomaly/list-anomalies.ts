import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListAnomaliesRequest,
  ListAnomaliesResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { type PageTokens, pageSizeOf } from '../paging/page-token.ts';
import { anomalyToProto, kindFromProto, stateFromProto } from './anomaly-proto.ts';
import { listStoredAnomalies } from './anomaly-store.ts';

export async function listAnomalies(
  { database, pageTokens }: { readonly database: Database; readonly pageTokens: PageTokens },
  request: ListAnomaliesRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListAnomaliesResponseSchema>> {
  const filter = {
    kind: kindFromProto(request.kind),
    state: stateFromProto(request.state),
    userId: request.userId?.toLowerCase(),
  };
  const named = { kind: filter.kind ?? '', state: filter.state ?? '', userId: filter.userId ?? '' };
  const scope = { list: 'anomalies', callerId: requirePrincipal(call).userId, filter: named };
  const limit = pageSizeOf(request.pageSize);
  const found = await listStoredAnomalies(database, filter, limit + 1, pageTokens.open(scope, request.pageToken));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    anomalies: page.map(anomalyToProto),
    nextPageToken: found.length > limit && last ? pageTokens.seal(scope, last.id) : '',
  };
}
