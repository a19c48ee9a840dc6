import { sha256 } from '@strongroom/platform/crypto';

/** What a refresh depends on, as the database says it at one instant. */
export interface RefreshState {
  /** Counter of the one unused token. */
  readonly generation: number;
  /** Time since the generation before was traded, by the database's clock. */
  readonly rotateAgeMs: number;
  /** Fingerprint of whoever made the current generation. */
  readonly fingerprint: Uint8Array;
  readonly isRevoked: boolean;
  readonly isExpired: boolean;
}

export interface PresentedToken {
  readonly generation: number;
  readonly fingerprint: Uint8Array;
}

export interface RefreshPolicy {
  readonly graceMs: number;
  readonly fingerprintMode: 'flag' | 'deny';
}

export type RefreshDecision =
  /** Trade it; `moved` when another fingerprint than before presents it (S1.2d). */
  | { readonly kind: 'rotate'; readonly moved: boolean }
  /** The generation before, from the same fingerprint, within the grace: the same successor again (S1.2b). */
  | { readonly kind: 'repeat' }
  /** Theft, as far as anyone can tell: the family ends. */
  | { readonly kind: 'reuse' }
  | { readonly kind: 'moved-denied' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' };

/** The rule of S1.2b over an authentic token. Every outcome but `rotate` stays true whatever happens meanwhile. */
export function decideRefresh(state: RefreshState, presented: PresentedToken, policy: RefreshPolicy): RefreshDecision {
  if (state.isRevoked) return { kind: 'revoked' };
  if (state.isExpired) return { kind: 'expired' };
  // Only a database restored from an older copy knows less than a token: nobody's theft.
  if (presented.generation > state.generation) return { kind: 'unknown' };
  const isSame = sameBytes(state.fingerprint, presented.fingerprint);
  if (presented.generation === state.generation) {
    if (!isSame && policy.fingerprintMode === 'deny') return { kind: 'moved-denied' };
    return { kind: 'rotate', moved: !isSame };
  }
  const isImmediateParent = presented.generation === state.generation - 1;
  if (isImmediateParent && isSame && state.rotateAgeMs <= policy.graceMs) return { kind: 'repeat' };
  return { kind: 'reuse' };
}

/** S1.2d: hash of address and user agent, so that neither is kept for comparison. */
export function fingerprintOf(call: { readonly ipAddress: string; readonly userAgent: string }): Buffer {
  return sha256(JSON.stringify([call.ipAddress, call.userAgent]));
}

/** Why a session ended, as stored and as told to metrics. */
export type RevokeReason =
  | 'logout'
  | 'logout-all'
  | 'owner'
  | 'admin'
  | 'reuse'
  | 'password-changed'
  | 'password-reset'
  | 'role-changed'
  | 'suspended'
  | 'deleted'
  | 'mfa-changed'
  | 'session-limit'
  | 'email-changed';

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
