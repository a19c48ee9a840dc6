import type { Act, Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { sendNotice } from '../notices.ts';
import type { UserRow } from '../user/user.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import { hasAnySession, hasSessionFrom } from './session-store.ts';

/** As many failures before a success make it worth a word to the owner (ASVS V6.3.5). */
const suspiciousFailuresMin = 3;

/** Where a sign-in comes from; kept in the challenge while the second factor is asked for. */
export interface SignInOrigin {
  readonly keyThumbprint: string | undefined;
  /** Set when it comes from a device known to the owner. */
  readonly knownDeviceId: string | undefined;
  /** Failures at the same counter before it. */
  readonly failuresBefore: number;
}

/** Opens the session of a sign-in that is complete, records it and tells the owner, in the transaction of the last proof. */
export async function finishSignIn(
  tx: Transaction,
  deps: Deps,
  call: Call,
  user: UserRow,
  methods: readonly string[],
  origin: SignInOrigin,
): Promise<OpenedSession> {
  const act = actAs(call, user.id);
  await warnOwner(tx, deps, act, user, origin);
  const opened = await openSession(tx, deps, call, user, { methods, keyThumbprint: origin.keyThumbprint });
  await appendEvent(tx, act, {
    action: 'USER_LOGIN',
    resourceType: 'session',
    resourceId: opened.sessionId,
    subjectId: user.id,
    details: { methods: methods.join(' '), device: origin.knownDeviceId === undefined ? 'unknown' : 'known' },
  });
  return opened;
}

/** S1.3e, V6.3.5: a device not seen before, or a success after several failures. */
async function warnOwner(
  tx: Transaction,
  deps: Deps,
  act: Act,
  user: UserRow,
  { knownDeviceId, failuresBefore }: SignInOrigin,
): Promise<void> {
  const values = { ipAddress: act.ipAddress, userAgent: act.userAgent.slice(0, 200) };
  if (failuresBefore >= suspiciousFailuresMin) {
    await sendNotice(tx, deps, user, 'suspicious-sign-in', values);
    return;
  }
  if (knownDeviceId !== undefined || !(await hasAnySession(tx, user.id))) return;
  if (await hasSessionFrom(tx, user.id, act.userAgent)) return;
  await sendNotice(tx, deps, user, 'new-device', values);
}
