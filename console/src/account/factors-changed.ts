import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { renewSession } from '../session/renew-session.ts';
import { currentSession } from '../session/session-store.ts';

/** The token says whether there is a second factor, so a change of factors needs another one. */
export async function factorsChanged(): Promise<void> {
  await renewSession(currentSession()?.accessToken);
  await invalidate(AuthService.method.getMfaStatus, AuthService.method.getMe);
}
