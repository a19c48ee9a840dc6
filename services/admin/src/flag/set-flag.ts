import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SetFlagRequest, SetFlagResponseSchema } from '@strongroom/gen/strongroom/admin/v1/flag_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { isFlagName } from '@strongroom/platform/flags';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { errors } from '../errors.ts';
import type { FlagBoard } from './flag-board.ts';
import { flagToProto } from './flag-proto.ts';
import { listStoredFlags, upsertFlag } from './flag-store.ts';

/** Changes behaviour at run time; each change is recorded with who and why, and one that changes nothing is none (S5.3). */
export async function setFlag(
  { database, flags }: { readonly database: Database; readonly flags: FlagBoard },
  request: SetFlagRequest,
  call: Call,
): Promise<MessageInitShape<typeof SetFlagResponseSchema>> {
  const { name, enabled, reason } = request;
  if (!isFlagName(name)) throw errors.FLAG_NOT_FOUND();
  const act = actOf(call);
  const actorId = requirePrincipal(call).userId;
  await database.transaction(act, async (tx) => {
    const changed = await upsertFlag(tx, { name, enabled, actorId });
    if (!changed) return;
    await appendEvent(tx, act, {
      action: 'SYSTEM_CONFIG_CHANGED',
      resourceType: 'system_config',
      resourceId: `flag:${name}`,
      details: { flag: name, enabled: String(enabled), reason },
    });
  });
  await flags.announce();
  const stored = await listStoredFlags(database);
  return {
    flag: flagToProto(
      name,
      stored.find((flag) => flag.name === name),
    ),
  };
}
