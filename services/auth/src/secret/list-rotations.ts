import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListRotationsRequest,
  ListRotationsResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { encodePageToken, pageOf, pageSizeDefault, readPageToken } from '../page-token.ts';
import { rotationToProto } from './secret-proto.ts';
import { listRotationRows } from './signing-key-store.ts';

export async function listRotations(
  deps: Deps,
  request: ListRotationsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListRotationsResponseSchema>> {
  const pageSize = request.pageSize || pageSizeDefault;
  const scope = ['rotations', requirePrincipal(call).userId];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const found = await listRotationRows(deps.database, { limit: pageSize + 1, after });
  const { rows, nextPageToken } = pageOf(found, pageSize, ({ createTime, id }) =>
    encodePageToken(deps.keyring, scope, { value: createTime, id }),
  );
  return { rotations: rows.map(rotationToProto), nextPageToken };
}
