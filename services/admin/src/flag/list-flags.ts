import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListFlagsResponseSchema } from '@strongroom/gen/strongroom/admin/v1/flag_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { flagNames } from '@strongroom/platform/flags';
import { flagToProto } from './flag-proto.ts';
import { listStoredFlags } from './flag-store.ts';

export async function listFlags({
  database,
}: {
  readonly database: Database;
}): Promise<MessageInitShape<typeof ListFlagsResponseSchema>> {
  const stored = new Map((await listStoredFlags(database)).map((flag) => [flag.name, flag]));
  return { flags: flagNames.map((name) => flagToProto(name, stored.get(name))) };
}
