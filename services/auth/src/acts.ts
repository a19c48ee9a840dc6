import type { Act } from '@strongroom/platform/database';
import { actOf, type Call } from '@strongroom/platform/rpc';

/** The act of a person who has just proven who they are, or whom an administrator's service names. */
export function actAs(call: Call, userId: string): Act {
  return { ...actOf(call), actorId: userId, actorKind: 'user', actorName: '' };
}
