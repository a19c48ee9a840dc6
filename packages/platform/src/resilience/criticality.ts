import { Criticality } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

/** From what is kept longest to what is shed first. */
export const criticalitiesByRank = [
  Criticality.CRITICAL,
  Criticality.IMPORTANT,
  Criticality.NORMAL,
  Criticality.SHEDDABLE,
  Criticality.UNSPECIFIED,
] as const;

const NAMES = new Map<Criticality, string>([
  [Criticality.SHEDDABLE, 'sheddable'],
  [Criticality.NORMAL, 'normal'],
  [Criticality.IMPORTANT, 'important'],
  [Criticality.CRITICAL, 'critical'],
]);

/** As a label of metrics. */
export function criticalityName(criticality: Criticality): string {
  return NAMES.get(criticality) ?? 'unspecified';
}
