import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { plainTransport } from '../api/plain-transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { answerWithPasskey, canUsePasskeys } from './passkey.ts';
import { openSession } from './session-store.ts';

const auth = createClient(AuthService, plainTransport);

/** Passwordless: the passkey is both factors at once. */
export function PasskeySignIn() {
  const signIn = useMutation({
    mutationFn: async () => {
      const { challengeId, optionsJson } = await auth.startPasskeyLogin({});
      const responseJson = await answerWithPasskey(optionsJson);
      const { tokens } = await auth.finishPasskeyLogin({ challengeId, responseJson });
      if (tokens !== undefined) openSession(tokens);
    },
  });
  if (!canUsePasskeys()) return null;
  return (
    <>
      <button type="button" className="wide" disabled={signIn.isPending} onClick={() => signIn.mutate()}>
        Sign in with a passkey
      </button>
      <ErrorNotice error={signIn.error} />
    </>
  );
}
