import type { MessageInitShape } from '@bufbuild/protobuf';
import { AnomalyKind, type AnomalySchema, AnomalyState } from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import { optionalTimestampToProto, timestampToProto } from '@strongroom/platform/database';
import type { AnomalyKindName } from './anomaly-rules.ts';
import type { AnomalyStateName, StoredAnomaly } from './anomaly-store.ts';

export function anomalyToProto(anomaly: StoredAnomaly): MessageInitShape<typeof AnomalySchema> {
  const { kind, state, reasons, createTime, resolveTime, ...same } = anomaly;
  return {
    ...same,
    kind: AnomalyKind[kind],
    state: AnomalyState[state],
    reasons: [...reasons],
    createTime: timestampToProto(createTime),
    resolveTime: optionalTimestampToProto(resolveTime),
  };
}

/** Validation has refused numbers without a name. */
export function kindFromProto(kind: AnomalyKind | undefined): AnomalyKindName | undefined {
  return nameOf(AnomalyKind, kind) as AnomalyKindName | undefined;
}

export function stateFromProto(state: AnomalyState | undefined): AnomalyStateName | undefined {
  return nameOf(AnomalyState, state) as AnomalyStateName | undefined;
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number | undefined): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number);
}
