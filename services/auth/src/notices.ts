import type { Transaction } from '@strongroom/platform/database';
import { appendNotice } from '@strongroom/platform/outbox';
import type { Deps } from './deps.ts';

/** Templates of profile's closed list that auth asks for (B-notify). */
export type NoticeTemplate =
  | 'verify-email'
  | 'password-reset'
  | 'invitation'
  | 'account-exists'
  | 'account-locked'
  | 'new-device'
  | 'password-changed'
  | 'email-changed'
  | 'mfa-enabled'
  | 'mfa-disabled'
  | 'backup-codes-replaced'
  | 'mfa-recovery-requested'
  | 'mfa-recovery-approved'
  | 'suspicious-sign-in';

/** A warning that comes a day late helps nobody and confuses. */
const noticeLifeMs = 86_400_000;

/** In the transaction of what it tells about; sealed, because it may hold links (profile opens it). */
export async function sendNotice(
  tx: Transaction,
  deps: Pick<Deps, 'noticeKey' | 'now'>,
  user: { readonly id: string; readonly email: string | null; readonly name: string },
  template: NoticeTemplate,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (user.email === null) return;
  const now = deps.now();
  await appendNotice(tx, deps.noticeKey, {
    userId: user.id,
    template,
    email: user.email,
    values: { name: user.name, time: new Date(now).toISOString(), ...values },
    expireTime: new Date(now + noticeLifeMs),
  });
}
