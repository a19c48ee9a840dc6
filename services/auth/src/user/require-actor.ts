import type { Act, Database } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { findUser } from './user-store.ts';

/**
 * The administrator in whose name admin calls. Its word for who acts is checked: the account must be an active
 * administrator's, and the person's own token, when it came along, must be theirs (ASVS V8.3.3).
 */
export async function requireActor(deps: Pick<Deps, 'database'>, call: Call, actorId: string): Promise<Act> {
  requireSamePerson(call, actorId);
  if (actorId === '' || !(await isActiveAdmin(deps.database, actorId))) throw commonErrors.FORBIDDEN();
  return actAs(call, actorId);
}

export function requireSamePerson(call: Call, actorId: string): void {
  if (call.principal !== undefined && call.principal.userId !== actorId) throw commonErrors.FORBIDDEN();
}

export async function isActiveAdmin(database: Database, userId: string): Promise<boolean> {
  const actor = await findUser(database, userId);
  return actor?.role === 'ADMIN' && actor.status === 'ACTIVE';
}
