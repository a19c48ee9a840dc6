import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListAnomaliesRequest,
  ListAnomaliesResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { type PageKeys, requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { anomalyToProto, kindFromProto, stateFromProto } from './anomaly-proto.ts';
import { listStoredAnomalies } from './anomaly-store.ts';

export async function listAnomalies(
  { database, keyring }: { readonly database: Database; readonly keyring: PageKeys },
  request: ListAnomaliesRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListAnomaliesResponseSchema>> {
  const filter = {
    kind: kindFromProto(request.kind),
    state: stateFromProto(request.state),
    userId: request.userId?.toLowerCase(),
  };
  const scope = ['anomalies', requirePrincipal(call).userId, filter.kind, filter.state, filter.userId];
  const page = requestedPage(keyring, scope, request);
  const { rows, nextPageToken } = page.cut(await listStoredAnomalies(database, filter, page), ({ id }) => [id]);
  return { anomalies: rows.map(anomalyToProto), nextPageToken };
}
