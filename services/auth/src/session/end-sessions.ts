import type { Transaction } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';
import { type Revocation, setTokensNotBefore } from './revocation-store.ts';
import type { RevokeReason } from './session.ts';
import { revokeSessions } from './session-store.ts';

export interface EndedSessions {
  readonly count: number;
  /** To be applied after the commit. */
  readonly revocations: readonly Revocation[];
}

/**
 * Ends a user's sessions, all or all but one (S1.2e). Each is denied by its own id; with all, the user's not-before
 * moves too. An instant, not a flag: whoever signs in after it is let in (older fault 9).
 */
export async function endSessions(
  tx: Transaction,
  deps: Pick<Deps, 'denylist' | 'metrics'>,
  userId: string,
  options: { readonly reason: RevokeReason; readonly exceptId?: string | undefined },
): Promise<EndedSessions> {
  const ended = await revokeSessions(tx, { userId, exceptId: options.exceptId }, options.reason);
  const entries = ended.map((subject) => ({ kind: 'sid' as const, subject }));
  const isWhole = options.exceptId === undefined;
  if (isWhole) await setTokensNotBefore(tx, userId);
  const user = isWhole ? [{ kind: 'usr' as const, subject: userId }] : [];
  const revocations = await deps.denylist.record(tx, [...entries, ...user]);
  for (const _ of ended) deps.metrics.increment('auth_sessions_revoked_total', { reason: options.reason });
  return { count: ended.length, revocations };
}

/** Ends one session; answers undefined when it wasn't alive. */
export async function endSession(
  tx: Transaction,
  deps: Pick<Deps, 'denylist' | 'metrics'>,
  which: { readonly userId: string; readonly id: string },
  reason: RevokeReason,
): Promise<readonly Revocation[] | undefined> {
  const ended = await revokeSessions(tx, which, reason);
  if (ended.length === 0) return undefined;
  deps.metrics.increment('auth_sessions_revoked_total', { reason });
  return deps.denylist.record(tx, [{ kind: 'sid', subject: which.id }]);
}
