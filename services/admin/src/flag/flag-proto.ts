import type { MessageInitShape } from '@bufbuild/protobuf';
import type { FlagSchema } from '@strongroom/gen/strongroom/admin/v1/flag_pb.ts';
import { optionalTimestampToProto } from '@strongroom/platform/database';
import { type FlagName, flagDefinitions } from '@strongroom/platform/flags';
import type { StoredFlag } from './flag-store.ts';

export function flagToProto(name: FlagName, stored: StoredFlag | undefined): MessageInitShape<typeof FlagSchema> {
  const { defaultEnabled, description } = flagDefinitions[name];
  return {
    name,
    description,
    defaultEnabled,
    enabled: stored?.enabled ?? defaultEnabled,
    actorId: stored?.actorId ?? '',
    updateTime: optionalTimestampToProto(stored?.updateTime),
  };
}
