import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { GetMfaStatusResponse } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { useState } from 'react';
import { Badge } from '../ui/badge.tsx';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { AccountTabs } from './account-tabs.tsx';
import { BackupCodes } from './backup-codes.tsx';
import { ChangePasswordForm } from './change-password-form.tsx';
import { factorsChanged } from './factors-changed.ts';
import { Passkeys } from './passkeys.tsx';
import { RecoverySection } from './recovery-section.tsx';
import { TotpEnrolment } from './totp-enrolment.tsx';

export function SecurityPage() {
  const query = useQuery(AuthService.method.getMfaStatus);
  return (
    <Page title="Security">
      <AccountTabs />
      <Section title="Password">
        <ChangePasswordForm />
      </Section>
      <Listing what="second factors" query={query}>
        {(status) => <SecondFactors status={status} />}
      </Listing>
      <RecoverySection />
    </Page>
  );
}

function SecondFactors({ status }: { status: GetMfaStatusResponse }) {
  const [newCodes, setNewCodes] = useState<readonly string[]>();
  const disable = useMutation(AuthService.method.disableMfa);
  const { enabled, totp, required, backupCodesLeft } = status;
  return (
    <>
      <Section title="Authenticator" actions={<Badge tone={totp ? 'good' : 'plain'}>{totp ? 'On' : 'Off'}</Badge>}>
        <p>
          An app that shows a new code every thirty seconds.
          {totp && ' Setting it up again replaces the old one.'}
        </p>
        <TotpEnrolment />
      </Section>
      <Passkeys passkeys={status.passkeys} />
      {enabled && (
        <Section title="Backup codes">
          <p>{backupCodesLeft === 1 ? '1 code is left.' : `${backupCodesLeft} codes are left.`}</p>
          {newCodes !== undefined && <BackupCodes codes={newCodes} onSeen={() => setNewCodes(undefined)} />}
          <NewCodesButton onCodes={setNewCodes} />
        </Section>
      )}
      {enabled && !required && (
        <Section title="Without a second factor">
          <ConfirmButton
            label="Remove all second factors"
            title="Remove all second factors"
            confirmLabel="Remove them"
            act={async () => {
              await disable.mutateAsync({});
              await factorsChanged();
            }}
          >
            <p>Whoever has your password can then sign in. Every other session ends.</p>
          </ConfirmButton>
        </Section>
      )}
    </>
  );
}

function NewCodesButton({ onCodes }: { onCodes(codes: readonly string[]): void }) {
  const regenerate = useMutation(AuthService.method.regenerateBackupCodes);
  return (
    <ConfirmButton
      label="Make new codes"
      title="Make new backup codes"
      confirmLabel="Make them"
      act={async () => {
        const { backupCodes } = await regenerate.mutateAsync({});
        onCodes(backupCodes);
        await factorsChanged();
      }}
    >
      <p>The old codes stop working.</p>
    </ConfirmButton>
  );
}
