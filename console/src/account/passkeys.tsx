import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { Passkey } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { transport } from '../api/transport.ts';
import { canUsePasskeys, createPasskey } from '../session/passkey.ts';
import { Time } from '../time/time.tsx';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Section } from '../ui/page.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { BackupCodes } from './backup-codes.tsx';
import { factorsChanged } from './factors-changed.ts';

const auth = createClient(AuthService, transport);

export function Passkeys({ passkeys }: { passkeys: readonly Passkey[] }) {
  return (
    <Section title="Passkeys">
      <Table
        caption="Registered passkeys"
        columns={columns}
        rows={passkeys}
        keyOf={({ id }) => id}
        empty="No passkeys yet. A passkey signs you in without a password, and can’t be phished."
      />
      {canUsePasskeys() ? (
        <AddPasskey />
      ) : (
        <p className="hint">
          This browser can’t use passkeys at this address; they need a host with a name, such as localhost.
        </p>
      )}
    </Section>
  );
}

const columns: Column<Passkey>[] = [
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Added', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Last used', cell: ({ lastUsedTime }) => <Time value={lastUsedTime} none="Never" /> },
  {
    title: 'Actions',
    cell: ({ id, name }) => (
      <ConfirmButton
        label="Remove"
        title={`Remove the passkey ${name}`}
        confirmLabel="Remove it"
        act={async () => {
          await auth.removePasskey({ id });
          await factorsChanged();
        }}
      >
        <p>It will not sign you in any more.</p>
      </ConfirmButton>
    ),
  },
];

function AddPasskey() {
  const [backupCodes, setBackupCodes] = useState<readonly string[]>([]);
  const add = useMutation({
    mutationFn: async (name: string) => {
      const { optionsJson } = await auth.startPasskeyRegistration({});
      const responseJson = await createPasskey(optionsJson);
      setBackupCodes((await auth.finishPasskeyRegistration({ responseJson, name })).backupCodes);
      await factorsChanged();
    },
  });
  return (
    <>
      {backupCodes.length > 0 && <BackupCodes codes={backupCodes} onSeen={() => setBackupCodes([])} />}
      <Form
        submitLabel="Add a passkey"
        isPending={add.isPending}
        error={add.error}
        onSubmit={(values, form) => add.mutate(values.text('name'), { onSuccess: () => form.reset() })}
      >
        <Field
          name="name"
          label="Name of the passkey"
          placeholder="Laptop"
          autoComplete="off"
          required
          maxLength={100}
        />
      </Form>
    </>
  );
}
