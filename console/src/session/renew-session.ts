import { Code, createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { plainTransport } from '../api/plain-transport.ts';
import { readServiceError } from '../errors/service-error.ts';
import { closeSession, currentSession, openSession, sessionState } from './session-store.ts';

const lockName = 'strongroom-refresh';
/** A token that ends so soon may end on its way. */
const marginMs = 15_000;

const auth = createClient(AuthService, plainTransport);
let running: Promise<void> | undefined;

/** An access token that is good now, renewed before if need be; undefined when nobody is signed in. */
export async function usableAccessToken(): Promise<string | undefined> {
  const session = currentSession();
  if (session !== undefined && session.expireTimeMs - Date.now() > marginMs) return session.accessToken;
  if (session === undefined && sessionState().kind !== 'restoring') return undefined;
  await renewSession(session?.accessToken);
  return currentSession()?.accessToken;
}

/** Trades the refresh token, once however many calls of however many tabs want it. */
export function renewSession(staleToken: string | undefined): Promise<void> {
  running ??= navigator.locks
    .request(lockName, () => renewUnlessDone(staleToken))
    .finally(() => {
      running = undefined;
    });
  return running;
}

async function renewUnlessDone(staleToken: string | undefined): Promise<void> {
  const session = currentSession();
  // Another tab was first while this one waited for the lock, and has told.
  if (session !== undefined && session.accessToken !== staleToken) return;
  const state = sessionState();
  const refreshToken = state.kind === 'restoring' ? state.refreshToken : session?.refreshToken;
  if (refreshToken === undefined) return;
  try {
    openSession(await auth.refresh({ refreshToken }));
  } catch (error) {
    const read = readServiceError(error);
    if (read.code === Code.Unauthenticated || read.code === Code.PermissionDenied) closeSession(read.message);
    throw error;
  }
}
