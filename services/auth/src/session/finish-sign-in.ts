import type { Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import type { UserRow } from '../user/user.ts';
import { type OpenedSession, openSession } from './open-session.ts';

/** Opens the session of a sign-in that is complete, and records it, in the transaction of the last proof. */
export async function finishSignIn(
  tx: Transaction,
  deps: Deps,
  call: Call,
  user: UserRow,
  proof: { readonly methods: readonly string[]; readonly keyThumbprint: string | undefined },
): Promise<OpenedSession> {
  const opened = await openSession(tx, deps, call, user, proof);
  await appendEvent(tx, actAs(call, user.id), {
    action: 'USER_LOGIN',
    resourceType: 'session',
    resourceId: opened.sessionId,
    subjectId: user.id,
    details: { methods: proof.methods.join(' ') },
  });
  return opened;
}
