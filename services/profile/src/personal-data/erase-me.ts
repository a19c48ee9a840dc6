import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type EraseMeRequest,
  type EraseMeResponseSchema,
  ErasureState,
} from '@strongroom/gen/strongroom/profile/v1/personal_data_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { readServiceError } from '@strongroom/platform/errors';
import { actOf, asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { beginErasure, withdrawErasure } from './erasure-store.ts';
import { runErasure } from './run-erasure.ts';

/**
 * Begins the erasure and does as much as it can at once. What is left after an outage is done by the worker: the row is
 * the promise. A refusal of auth withdraws it, because then nothing was done.
 */
export async function eraseMe(
  deps: Deps,
  _request: EraseMeRequest,
  call: Call,
): Promise<MessageInitShape<typeof EraseMeResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const service = asService(call);
  const { held } = await deps.admin.checkLegalHold({ userId }, service);
  if (held) throw errors.LEGAL_HOLD();
  const act = actOf(call);
  const erasure = await deps.database.transaction(act, (tx) => beginErasure(tx, uuidv7(), userId));
  try {
    await runErasure(deps, erasure, service);
  } catch (error) {
    const known = readServiceError(error);
    if (known?.retry === 'never') {
      await deps.database.transaction(act, (tx) => withdrawErasure(tx, erasure.id));
      throw error;
    }
    deps.logger.warn({ err: error, erasureId: erasure.id }, 'erasure goes on later');
    return { erasureId: erasure.id, state: ErasureState.RUNNING };
  }
  return { erasureId: erasure.id, state: ErasureState.COMPLETED };
}
