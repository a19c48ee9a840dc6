import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ResolveAnomalyRequest,
  ResolveAnomalyResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { errors } from '../errors.ts';
import { anomalyToProto, stateFromProto } from './anomaly-proto.ts';
import { lockAnomaly, resolveStoredAnomaly } from './anomaly-store.ts';

/** Closes an anomaly once. The same again is no change; another verdict is refused: the first one is on record. */
export async function resolveAnomaly(
  { database }: { readonly database: Database },
  request: ResolveAnomalyRequest,
  call: Call,
): Promise<MessageInitShape<typeof ResolveAnomalyResponseSchema>> {
  const { id, resolution } = request;
  const state = stateFromProto(request.state) ?? 'OPEN';
  const act = actOf(call);
  const resolverId = requirePrincipal(call).userId;
  const anomaly = await database.transaction(act, async (tx) => {
    const found = await lockAnomaly(tx, id);
    if (!found) throw errors.ANOMALY_NOT_FOUND();
    if (found.state === state) return found;
    if (found.state !== 'OPEN') throw errors.ANOMALY_ALREADY_RESOLVED();
    await appendEvent(tx, act, {
      action: 'ANOMALY_RESOLVED',
      resourceType: 'user',
      resourceId: found.userId,
      subjectId: found.userId,
      details: { anomaly: id, verdict: state },
    });
    return resolveStoredAnomaly(tx, { id, state, resolverId, resolution });
  });
  return { anomaly: anomalyToProto(anomaly) };
}
