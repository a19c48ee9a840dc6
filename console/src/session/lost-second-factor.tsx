import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useState } from 'react';
import { plainTransport } from '../api/plain-transport.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Flash } from '../ui/flash.tsx';

const auth = createClient(AuthService, plainTransport);

/** For whoever has the password but no factor any more: an administrator must agree, and some days must pass. */
export function LostSecondFactor({ challengeId }: { challengeId: string }) {
  const [recoveryId, setRecoveryId] = useState<string>();
  if (recoveryId !== undefined) {
    return <Flash message={`Asked for. Tell an administrator who knows you this number: ${recoveryId}`} />;
  }
  return (
    <ConfirmButton
      label="Lost your second factor?"
      title="Ask to remove your second factor"
      confirmLabel="Ask for it"
      isDangerous={false}
      act={async () => {
        const { recovery } = await auth.startMfaRecovery({ challengeId });
        setRecoveryId(recovery?.id);
      }}
    >
      <p>
        An administrator will check who you are. After the approval some days pass before it takes effect, and you are
        told by e-mail each time, so that nobody else can do this in your name.
      </p>
    </ConfirmButton>
  );
}
