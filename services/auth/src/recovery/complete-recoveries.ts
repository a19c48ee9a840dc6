import { serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Deps } from '../deps.ts';
import { removeFactors } from '../mfa/mfa-store.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import { lockUser } from '../user/user-store.ts';
import { takeDueRecovery } from './recovery-store.ts';
import { recoveryEvent } from './start-mfa-recovery.ts';

const roundMax = 100;

/** Removes the factors of recoveries whose time has come. One transaction each: state, factors, sessions, event. */
export async function completeRecoveries(deps: Deps): Promise<number> {
  const act = serviceAct('auth');
  for (let count = 0; count < roundMax; count += 1) {
    const revocations = await deps.database.transaction(act, async (tx) => {
      const row = await takeDueRecovery(tx);
      if (row === undefined) return undefined;
      const user = await lockUser(tx, row.userId);
      await removeFactors(tx, row.userId);
      const ended = await endSessions(tx, deps, row.userId, { reason: 'mfa-changed' });
      if (user !== undefined) await sendNotice(tx, deps, user, 'mfa-disabled', { recoveryId: row.id });
      await appendEvent(tx, act, recoveryEvent(row.id, row.userId, 'completed'));
      return ended.revocations;
    });
    if (revocations === undefined) return count;
    await deps.denylist.apply(revocations);
  }
  return roundMax;
}
