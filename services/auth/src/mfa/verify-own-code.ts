import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { UserRow } from '../user/user.ts';
import {
  acceptSecondFactor,
  countSuccess,
  failSecondFactor,
  reserveSecondFactor,
  type SecondFactorAnswer,
} from './second-factor.ts';

/** A code of the application or a backup code, from inside a session, on the same counter as in sign-ins. */
export async function verifyOwnCode(deps: Deps, call: Call, user: UserRow, code: string): Promise<void> {
  const isTotp = /^\d{6}$/.test(code);
  await verifyOwnFactor(deps, call, user, { case: isTotp ? 'code' : 'backupCode', value: code });
}

export async function verifyOwnFactor(
  deps: Deps,
  call: Call,
  user: UserRow,
  answer: SecondFactorAnswer,
): Promise<void> {
  const target = await reserveSecondFactor(deps, call, user);
  const isRight = await deps.database.transaction(actOf(call), async (tx) => {
    if (!(await acceptSecondFactor(tx, deps, user, answer))) return false;
    await deps.guard.succeed(tx, target);
    return true;
  });
  if (!isRight) {
    await failSecondFactor(deps, call, user, target);
    throw answer.case === 'passkeyResponseJson' ? errors.PASSKEY_INVALID() : errors.MFA_CODE_INVALID();
  }
  await deps.guard.mirror(target);
  countSuccess(deps, answer);
}
