import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListSessionsRequest, ListSessionsResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { sessionToProto } from './session-proto.ts';
import { listLiveSessions } from './session-store.ts';

/** ASVS V7.5.2. */
export async function listSessions(
  deps: Deps,
  request: ListSessionsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListSessionsResponseSchema>> {
  const { userId, sessionId } = requirePrincipal(call);
  const scope = ['sessions', userId];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listLiveSessions(deps.database, userId, page);
  const { rows, nextPageToken } = page.cut(found, ({ lastUsedTime, id }) => [lastUsedTime, id]);
  return { sessions: rows.map((row) => sessionToProto(row, sessionId)), nextPageToken };
}
