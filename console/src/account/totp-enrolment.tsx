import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { EnrollTotpResponse } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { BackupCodes } from './backup-codes.tsx';
import { factorsChanged } from './factors-changed.ts';

const auth = createClient(AuthService, transport);

/** Seed, proof, backup codes; nothing counts before the proof. */
export function TotpEnrolment() {
  const [backupCodes, setBackupCodes] = useState<readonly string[]>();
  const enrol = useMutation({ mutationFn: () => auth.enrollTotp({}) });
  if (backupCodes !== undefined) {
    return (
      <BackupCodes
        codes={backupCodes}
        onSeen={async () => {
          setBackupCodes(undefined);
          enrol.reset();
          await factorsChanged();
        }}
      />
    );
  }
  if (enrol.data !== undefined) return <TotpProof enrolment={enrol.data} onProven={setBackupCodes} />;
  return (
    <>
      <ErrorNotice error={enrol.error} />
      <button type="button" className="primary" disabled={enrol.isPending} onClick={() => enrol.mutate()}>
        Set up an authenticator
      </button>
    </>
  );
}

interface TotpProofProps {
  readonly enrolment: EnrollTotpResponse;
  onProven(backupCodes: readonly string[]): void;
}

function TotpProof({ enrolment: { secret, qrCodeSvg }, onProven }: TotpProofProps) {
  const confirm = useMutation({
    mutationFn: async (code: string) => onProven((await auth.confirmTotp({ code })).backupCodes),
  });
  return (
    <div className="enrolment">
      <img
        src={`data:image/svg+xml,${encodeURIComponent(qrCodeSvg)}`}
        alt="QR code of the secret"
        width="200"
        height="200"
      />
      <div>
        <p>Scan this with your authenticator app, or type in the secret:</p>
        <p>
          <code className="seed">{secret}</code>
        </p>
        <Form
          submitLabel="Turn it on"
          isPending={confirm.isPending}
          error={confirm.error}
          onSubmit={(values) => confirm.mutate(values.text('code').trim())}
        >
          <Field
            name="code"
            label="Code from the app"
            inputMode="numeric"
            autoComplete="one-time-code"
            pattern="[0-9]{6}"
            maxLength={6}
            required
          />
        </Form>
      </div>
    </div>
  );
}
