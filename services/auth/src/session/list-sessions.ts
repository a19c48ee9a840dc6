import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListSessionsRequest, ListSessionsResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { encodePageToken, pageOf, pageSizeDefault, readPageToken } from '../page-token.ts';
import { sessionToProto } from './session-proto.ts';
import { listLiveSessions } from './session-store.ts';

/** ASVS V7.5.2. */
export async function listSessions(
  deps: Deps,
  request: ListSessionsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListSessionsResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const pageSize = request.pageSize || pageSizeDefault;
  const scope = ['sessions', userId];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const found = await listLiveSessions(deps.database, { userId, limit: pageSize + 1, after });
  const { rows, nextPageToken } = pageOf(found, pageSize, ({ lastUsedTime, id }) =>
    encodePageToken(deps.keyring, scope, { value: lastUsedTime, id }),
  );
  return { sessions: rows.map((row) => sessionToProto(row, sessionId)), nextPageToken };
}
