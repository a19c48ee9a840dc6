import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetPreferencesRequest,
  GetPreferencesResponseSchema,
} from '@strongroom/gen/strongroom/profile/v1/preferences_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { preferencesToProto } from './preferences-proto.ts';
import { findPreferences } from './preferences-store.ts';

export async function getPreferences(
  { database }: Deps,
  _request: GetPreferencesRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetPreferencesResponseSchema>> {
  const { userId } = requirePrincipal(call);
  return { preferences: preferencesToProto(await findPreferences(database, userId)) };
}
