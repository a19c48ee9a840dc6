import { randomBytes } from 'node:crypto';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Transaction } from '@strongroom/platform/database';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import type { UserRow } from '../user/user.ts';
import { type IssuedTokens, issueTokens } from './issue-tokens.ts';
import { encodeRefreshToken, refreshTokenHash } from './refresh-token.ts';
import type { Revocation } from './revocation-store.ts';
import { fingerprintOf } from './session.ts';
import { insertSession, revokeSessionsOverLimit } from './session-store.ts';

export interface OpenedSession {
  readonly sessionId: string;
  readonly tokens: IssuedTokens;
  /** Sessions over the limit that ended for it; to be applied after the commit. */
  readonly revocations: readonly Revocation[];
}

export interface Authentication {
  /** RFC 8176: pwd, otp, hwk, swk, mfa. */
  readonly methods: readonly string[];
  readonly keyThumbprint?: string | undefined;
}

const refreshKeyBytes = 32;
const userAgentLengthMax = 512;

/** Begins a session in the transaction of the sign-in. The user's row must be held, so that a suspension can't slip in. */
export async function openSession(
  tx: Transaction,
  deps: Deps,
  call: Call,
  user: UserRow,
  authentication: Authentication,
): Promise<OpenedSession> {
  const id = uuidv7();
  const key = randomBytes(refreshKeyBytes);
  const session = await insertSession(tx, {
    id,
    userId: user.id,
    refreshKey: deps.cipher.seal(key, { table: 'sessions', column: 'refresh_key', row: id }),
    tokenHash: refreshTokenHash(encodeRefreshToken(key, { sessionId: id, generation: 0 })),
    fingerprint: fingerprintOf(call),
    userAgent: call.userAgent.slice(0, userAgentLengthMax),
    ipAddress: call.ipAddress,
    deviceId: call.deviceId,
    authenticationMethods: authentication.methods,
    keyThumbprint: authentication.keyThumbprint ?? null,
    idleS: deps.config.SESSION_IDLE_S,
    absoluteS: deps.config.SESSION_ABSOLUTE_S,
  });
  const ended = await revokeSessionsOverLimit(tx, user.id, deps.config.SESSION_LIMIT);
  const revocations = await deps.denylist.record(
    tx,
    ended.map((subject) => ({ kind: 'sid', subject })),
  );
  return { sessionId: id, tokens: issueTokens(deps, session, key, user), revocations };
}
