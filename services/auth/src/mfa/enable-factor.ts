import type { Transaction } from '@strongroom/platform/database';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { sendNotice } from '../notices.ts';
import { endSessions } from '../session/end-sessions.ts';
import type { Revocation } from '../session/revocation-store.ts';
import { setSessionAuthentication } from '../session/session-store.ts';
import type { UserRow } from '../user/user.ts';
import { backupCodeHash, generateBackupCodes } from './backup-code.ts';
import { countBackupCodes, replaceBackupCodes } from './mfa-store.ts';

/**
 * What follows when a factor is proven for the first time: codes for the day that it is lost, the owner is told, and
 * sessions that never showed it end (ASVS V7.4.3). The caller's own has just shown it.
 */
export async function enableFactor(
  tx: Transaction,
  deps: Deps,
  call: Call,
  user: UserRow,
  factor: { readonly method: 'otp' | 'hwk'; readonly replaceCodes: boolean },
): Promise<{ backupCodes: string[]; revocations: readonly Revocation[] }> {
  const { sessionId, authenticationMethods } = requirePrincipal(call);
  const isNeeded = factor.replaceCodes || (await countBackupCodes(tx, user.id)) === 0;
  const backupCodes = isNeeded ? await issueBackupCodes(tx, deps, user.id) : [];
  const methods = [...new Set([...authenticationMethods, factor.method, 'mfa'])];
  await setSessionAuthentication(tx, sessionId, methods);
  const { revocations } = await endSessions(tx, deps, user.id, { reason: 'mfa-changed', exceptId: sessionId });
  await sendNotice(tx, deps, user, 'mfa-enabled', { ipAddress: call.ipAddress });
  return { backupCodes, revocations };
}

/** Ten new codes; the old ones are void. Stored as keyed hashes, shown once (S7.1, V6.5.2). */
export async function issueBackupCodes(tx: Transaction, deps: Deps, userId: string): Promise<string[]> {
  const codes = generateBackupCodes();
  const key = deps.keyring.subkey('backup-code');
  await replaceBackupCodes(
    tx,
    userId,
    codes.map((code) => backupCodeHash(key, userId, code)),
  );
  return codes;
}
