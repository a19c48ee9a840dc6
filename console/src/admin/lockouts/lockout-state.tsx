import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { Lockout } from '@strongroom/gen/strongroom/auth/v1/lockout_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Listing } from '../../ui/listing.tsx';

const { getLockout, unlock } = AuthService.method;

/** What guessing at one address has come to, and its end. Reading it is on record. */
export function LockoutState({ email }: { email: string }) {
  const query = useQuery(getLockout, { email });
  return (
    <Listing what="the lockout" query={query}>
      {({ lockout }) => lockout !== undefined && <LockoutFacts email={email} lockout={lockout} />}
    </Listing>
  );
}

function LockoutFacts({ email, lockout }: { email: string; lockout: Lockout }) {
  const release = useMutation(unlock, { onSuccess: () => invalidate(getLockout) });
  const { locked, failedAttempts, lockTime, unlockTime, ipAddresses } = lockout;
  return (
    <>
      <p>
        <Badge tone={locked ? 'bad' : 'good'}>{locked ? 'Locked' : 'Not locked'}</Badge>
      </p>
      <Facts
        facts={[
          ['Recent failures', String(failedAttempts)],
          ['Locked', lockTime && <Time value={lockTime} />],
          ['Unlocks by itself', unlockTime && <Time value={unlockTime} />],
          ['From', ipAddresses.join(', ')],
        ]}
      />
      {(locked || failedAttempts > 0) && (
        <ConfirmButton
          label="Unlock"
          title={`Unlock ${email}`}
          confirmLabel="Unlock"
          isDangerous={false}
          act={() => release.mutateAsync({ email })}
        >
          <p>Strangers may guess again from zero. Make sure first that it is the owner who asks.</p>
        </ConfirmButton>
      )}
    </>
  );
}
