import type { Transaction } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';
import { sendNotice } from '../notices.ts';
import { createMessageToken, isMessageRecent } from './message-token.ts';
import type { UserRow } from './user.ts';

/** One message a minute: asking again doesn't fill anybody's mailbox. */
const resendAfterS = 60;

export type Addressee = Pick<UserRow, 'id' | 'name'> & { readonly email: string | null };

/** Sends the link that proves the address (to the console's page, which calls VerifyEmail). */
export async function sendVerification(tx: Transaction, deps: Deps, user: Addressee): Promise<void> {
  const { id, email, name } = user;
  if (email === null || (await isMessageRecent(tx, id, 'verify-email', resendAfterS))) return;
  const token = await createMessageToken(tx, { id, email }, 'verify-email');
  await sendNotice(tx, deps, { id, email, name }, 'verify-email', { token, link: linkOf(deps, 'verify-email', token) });
}

/** The token rides in the fragment, which browsers send to no server and no log. */
export function linkOf({ config }: Pick<Deps, 'config'>, page: string, token: string): string {
  return `${config.PUBLIC_URL}/console/#/${page}?token=${token}`;
}
