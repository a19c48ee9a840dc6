import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListRotationsRequest,
  ListRotationsResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { rotationToProto } from './secret-proto.ts';
import { listRotationRows } from './signing-key-store.ts';

export async function listRotations(
  deps: Deps,
  request: ListRotationsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListRotationsResponseSchema>> {
  const scope = ['rotations', requirePrincipal(call).userId];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listRotationRows(deps.database, page);
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { rotations: rows.map(rotationToProto), nextPageToken };
}
