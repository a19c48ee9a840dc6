import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { transport } from '../api/transport.ts';
import { closeSession } from './session-store.ts';

const auth = createClient(AuthService, transport);

/** Ends the session at the server, and is forgotten here in any case. */
export function SignOutButton() {
  const signOut = useMutation({
    mutationFn: () => auth.logout({}),
    onSuccess: () => closeSession('You are signed out.'),
    onError: () =>
      closeSession('You are signed out here, but the server could not be told: end the session elsewhere.'),
  });
  return (
    <button type="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
      Sign out
    </button>
  );
}
