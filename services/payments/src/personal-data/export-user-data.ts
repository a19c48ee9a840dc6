import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ExportUserDataRequest,
  ExportUserDataResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/personal_data_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { collectUserData } from './personal-data-store.ts';

/** Asked by profile alone, which knows that the person asks for himself. */
export async function exportUserData(
  { database }: Pick<Deps, 'database'>,
  { userId }: ExportUserDataRequest,
  call: Call,
): Promise<MessageInitShape<typeof ExportUserDataResponseSchema>> {
  const act = actOf(call);
  const json = await database.transaction(act, async (tx) => {
    const found = await collectUserData(tx, userId);
    await appendEvent(tx, act, {
      action: 'DATA_EXPORTED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
    });
    return found;
  });
  return { json: Buffer.from(json, 'utf8') };
}
