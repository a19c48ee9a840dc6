import { useSyncExternalStore } from 'react';
import { type Claims, readClaims } from './claims.ts';
import { announceEnd, announceSession, listenToOtherTabs } from './session-channel.ts';

/** As the API answers it. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

export interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expireTimeMs: number;
  readonly claims: Claims;
}

export type SessionState =
  | { readonly kind: 'restoring'; readonly refreshToken: string }
  | { readonly kind: 'signed-out'; readonly notice?: string }
  | { readonly kind: 'signed-in'; readonly session: Session };

// The refresh token alone outlives a reload, and only in this tab (ASVS V14.3.3); the access token is never stored.
const storageKey = 'strongroom.refresh-token';
const millisecondsPerSecond = 1000;

const listeners = new Set<() => void>();
const stored = sessionStorage.getItem(storageKey);
let state: SessionState = stored === null ? { kind: 'signed-out' } : { kind: 'restoring', refreshToken: stored };

export function sessionState(): SessionState {
  return state;
}

export function currentSession(): Session | undefined {
  return state.kind === 'signed-in' ? state.session : undefined;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(onSessionChange, sessionState);
}

export function useClaims(): Claims | undefined {
  const current = useSessionState();
  return current.kind === 'signed-in' ? current.session.claims : undefined;
}

/** Takes over the tokens of a sign-in or a refresh, and tells the other tabs. */
export function openSession({ accessToken, refreshToken, expiresIn }: TokenPair): void {
  const expireTimeMs = Date.now() + expiresIn * millisecondsPerSecond;
  adopt({ accessToken, refreshToken, expireTimeMs, claims: readClaims(accessToken) });
  announceSession({ accessToken, refreshToken, expireTimeMs });
}

/** A step-up gives a new access token; the refresh token stays. */
export function replaceAccessToken(accessToken: string, expiresIn: number): void {
  const refreshToken = currentSession()?.refreshToken;
  if (refreshToken !== undefined) openSession({ accessToken, refreshToken, expiresIn });
}

/** Forgets the session, here and in the other tabs that share it. */
export function closeSession(notice?: string): void {
  const sessionId = currentSession()?.claims.sessionId;
  change({ kind: 'signed-out', notice });
  if (sessionId !== undefined) announceEnd(sessionId);
}

function adopt(session: Session): void {
  change({ kind: 'signed-in', session });
}

function change(next: SessionState): void {
  state = next;
  if (next.kind === 'signed-in') sessionStorage.setItem(storageKey, next.session.refreshToken);
  else sessionStorage.removeItem(storageKey);
  for (const listener of listeners) listener();
}

listenToOtherTabs({
  own: currentSession,
  onSession({ accessToken, refreshToken, expireTimeMs }) {
    const claims = readClaims(accessToken);
    const own = currentSession();
    // Somebody else's session in another tab is none of this tab's business, and an older token is no news.
    if (own !== undefined && (own.claims.sessionId !== claims.sessionId || own.expireTimeMs > expireTimeMs)) return;
    if (own?.accessToken !== accessToken) adopt({ accessToken, refreshToken, expireTimeMs, claims });
  },
  onEnd(sessionId) {
    if (currentSession()?.claims.sessionId === sessionId) change({ kind: 'signed-out', notice: 'You are signed out.' });
  },
});
