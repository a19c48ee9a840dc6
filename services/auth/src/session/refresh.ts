import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RefreshRequest, RefreshResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { SpentToken } from '@strongroom/platform/identity';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findUser } from '../user/user-store.ts';
import { endSession } from './end-sessions.ts';
import { issueTokens } from './issue-tokens.ts';
import { encodeRefreshToken, isRefreshTokenOf, readRefreshToken, refreshTokenHash } from './refresh-token.ts';
import { requireBoundProof } from './require-proof.ts';
import { decideRefresh, fingerprintOf, type RefreshDecision } from './session.ts';
import { findSession, rotateSession, type SessionRow } from './session-store.ts';

/** A lost compare-and-set means that the state has moved: decided again, and the second look can't be `rotate` for long. */
const decisionsMax = 5;

type Response = MessageInitShape<typeof RefreshResponseSchema>;

interface Presented {
  readonly generation: number;
  readonly fingerprint: Buffer;
  readonly key: Buffer;
}

/** S1.2a, S1.2b: trades a refresh token for the next pair. */
export async function refresh(deps: Deps, { refreshToken }: RefreshRequest, call: Call): Promise<Response> {
  const claims = readRefreshToken(refreshToken);
  let session = claims === undefined ? undefined : await findSession(deps.database, claims.sessionId);
  if (claims === undefined || session === undefined) throw refused(deps, 'invalid', errors.REFRESH_TOKEN_INVALID());
  const key = deps.cipher.openBytes(session.refreshKey, { table: 'sessions', column: 'refresh_key', row: session.id });
  // A token that this session's key didn't make says nothing about theft: it ends nobody's session.
  if (!isRefreshTokenOf(key, refreshToken)) throw refused(deps, 'invalid', errors.REFRESH_TOKEN_INVALID());
  await requireBoundProof(deps, call, session.keyThumbprint);

  const presented = { generation: claims.generation, fingerprint: fingerprintOf(call), key };
  for (let count = 0; count < decisionsMax; count += 1) {
    const decision = decideRefresh(session, presented, {
      graceMs: deps.config.REFRESH_GRACE_MS,
      fingerprintMode: deps.config.REFRESH_FINGERPRINT_MODE,
    });
    if (decision.kind === 'repeat') return answer(deps, session, key, 'repeated');
    if (decision.kind !== 'rotate') return refuse(deps, call, session, presented, decision);
    const rotated = await rotate(deps, call, session, presented, decision.moved);
    if (rotated !== undefined) {
      await failpoint('auth.refresh.after-commit');
      return answer(deps, rotated, key, 'rotated');
    }
    const again: SessionRow | undefined = await findSession(deps.database, session.id);
    if (again === undefined) break;
    session = again;
  }
  throw refused(deps, 'invalid', errors.REFRESH_TOKEN_INVALID());
}

/** The compare-and-set; undefined when another refresh came first. */
async function rotate(deps: Deps, call: Call, session: SessionRow, presented: Presented, moved: boolean) {
  const next = presented.generation + 1;
  const rotation = {
    id: session.id,
    generation: presented.generation,
    tokenHash: refreshTokenHash(encodeRefreshToken(presented.key, { sessionId: session.id, generation: next })),
    fingerprint: presented.fingerprint,
    ipAddress: call.ipAddress,
    idleS: deps.config.SESSION_IDLE_S,
  };
  const act = actAs(call, session.userId);
  return deps.database.transaction(act, async (tx) => {
    const rotated = await rotateSession(tx, rotation);
    await failpoint('auth.refresh.before-commit');
    if (rotated === undefined || !moved) return rotated;
    // S1.2d: people roam, so it is told and not refused; anomaly rules weigh it with everything else.
    await appendEvent(tx, act, {
      action: 'ANOMALY_DETECTED',
      resourceType: 'session',
      resourceId: session.id,
      subjectId: session.userId,
      details: { rule: 'refresh-fingerprint-changed', mode: 'flag' },
    });
    return rotated;
  });
}

async function answer(deps: Deps, session: SessionRow, key: Buffer, outcome: string): Promise<Response> {
  const user = await findUser(deps.database, session.userId);
  // CVE-2023-22492's class: whatever ended the account has ended its sessions, and this looks again.
  if (user === undefined || user.status !== 'ACTIVE')
    throw refused(deps, 'revoked', errors.SESSION_REVOKED(spent(session)));
  deps.metrics.increment('auth_token_refresh_total', { outcome });
  return issueTokens(deps, session, key, user);
}

/** The refusal is written, committed, then thrown. */
async function refuse(
  deps: Deps,
  call: Call,
  session: SessionRow,
  presented: Presented,
  decision: Exclude<RefreshDecision, { kind: 'rotate' | 'repeat' }>,
): Promise<never> {
  if (decision.kind === 'expired') throw refused(deps, 'expired', errors.SESSION_EXPIRED(spent(session)));
  if (decision.kind === 'unknown') throw refused(deps, 'invalid', errors.REFRESH_TOKEN_INVALID());
  if (decision.kind === 'revoked') {
    const isReuse = session.revokeReason === 'reuse';
    const error = isReuse ? errors.TOKEN_REUSE_DETECTED : errors.SESSION_REVOKED;
    throw refused(deps, 'revoked', error(spent(session)));
  }
  const anonymous = { ...actOf(call), actorId: '', actorKind: 'anonymous' as const, actorName: '' };
  const isReuse = decision.kind === 'reuse';
  const revocations = await deps.database.transaction(anonymous, async (tx) => {
    const which = { userId: session.userId, id: session.id };
    const ended = isReuse ? await endSession(tx, deps, which, 'reuse') : [];
    // Of parallel thefts one ends the family, and one event says so (F24).
    if (ended === undefined) return [];
    await appendEvent(tx, anonymous, {
      action: isReuse ? 'TOKEN_REUSE_DETECTED' : 'ANOMALY_DETECTED',
      resourceType: 'session',
      resourceId: session.id,
      subjectId: session.userId,
      details: isReuse
        ? { presentedGeneration: String(presented.generation), currentGeneration: String(session.generation) }
        : { rule: 'refresh-fingerprint-changed', mode: 'deny' },
    });
    return ended;
  });
  await deps.denylist.apply(revocations);
  if (!isReuse) throw refused(deps, 'moved', errors.FINGERPRINT_MISMATCH());
  deps.metrics.increment('auth_token_reuse_detected_total');
  throw refused(deps, 'reuse', errors.TOKEN_REUSE_DETECTED(spent(session)));
}

/** The token was a genuine one of the session, so the record of its refusal knows whose. */
function spent({ userId }: SessionRow) {
  return { cause: new SpentToken(userId) };
}

function refused(deps: Deps, outcome: string, error: Error): Error {
  deps.metrics.increment('auth_token_refresh_total', { outcome });
  return error;
}
