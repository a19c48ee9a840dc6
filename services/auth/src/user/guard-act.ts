import type { Transaction } from '@strongroom/platform/database';
import { errors } from '../errors.ts';
import { type AdminAct, guardUserAct, type UserRow } from './user.ts';
import { findUser, lockAdminGuard, lockUser } from './user-store.ts';

/**
 * The user whom an administrator acts on, held until the transaction ends, after the guards. Acts that could remove the
 * last administrator go one by one, so two at once can't each leave it to the other (older fault 34).
 */
export async function guardedUser(
  tx: Transaction,
  target: {
    readonly userId: string;
    readonly actorId: string;
    readonly act: AdminAct;
    readonly isOwnErasure?: boolean;
  },
): Promise<UserRow> {
  const activeAdminCount = await lockAdminGuard(tx);
  const user = await lockUser(tx, target.userId);
  if (user === undefined || user.status === 'DELETED') throw errors.USER_NOT_FOUND();
  const verdict = guardUserAct(target.act, {
    actorId: target.actorId,
    user,
    activeAdminCount,
    isOwnErasure: target.isOwnErasure === true,
  });
  if (verdict === 'last-admin') throw errors.LAST_ADMIN();
  if (verdict === 'self') throw errors.SELF_NOT_ALLOWED();
  return user;
}

/** The user as it is after the write. */
export async function userAfter(tx: Transaction, userId: string): Promise<UserRow> {
  const user = await findUser(tx, userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  return user;
}
