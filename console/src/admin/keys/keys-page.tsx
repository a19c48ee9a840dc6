import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { SecretRotation, SigningKey } from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Field } from '../../ui/field.tsx';
import { Identifier } from '../../ui/identifier.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { ReasonField } from '../reason-field.tsx';

const { getSecretsStatus, listRotations, rotateSecrets } = AuthService.method;

export function KeysPage() {
  const pages = usePages('');
  const keys = useQuery(getSecretsStatus);
  const rotations = useQuery(listRotations, { pageToken: pages.pageToken }, { enabled: keys.isSuccess });
  return (
    <Page title="Keys" actions={<RotateButton />}>
      <Section title="Signing keys of access tokens">
        <Listing what="keys" query={keys}>
          {(status) => (
            <Table
              caption="Keys, newest first"
              columns={keyColumns}
              rows={status.keys}
              keyOf={({ kid }) => kid}
              empty="No keys."
            />
          )}
        </Listing>
        <p className="hint">
          Their public halves are at <a href="/.well-known/jwks.json">/.well-known/jwks.json</a>. Private halves never
          leave the service.
        </p>
      </Section>
      <Section title="Rotations">
        <Listing what="rotations" query={rotations}>
          {(found) => (
            <>
              <Table
                caption="Rotations, newest first"
                columns={rotationColumns}
                rows={found.rotations}
                keyOf={({ id }) => id}
                empty="No rotations yet."
              />
              <Pager pages={pages} nextPageToken={found.nextPageToken} />
            </>
          )}
        </Listing>
      </Section>
    </Page>
  );
}

function RotateButton() {
  const rotate = useMutation(rotateSecrets, { onSuccess: () => invalidate(getSecretsStatus, listRotations) });
  return (
    <ConfirmButton
      label="Rotate"
      title="Rotate the signing key"
      confirmLabel="Rotate"
      act={(values) =>
        rotate.mutateAsync({ reason: values.text('reason'), expiresInDays: Number(values.text('expires_in_days')) })
      }
    >
      <p>
        New tokens are signed by the new key. Tokens of older keys stay valid until they end, so nobody is signed out.
      </p>
      <ReasonField />
      <Field
        name="expires_in_days"
        label="Days until the next rotation is due"
        type="number"
        min={1}
        max={365}
        defaultValue={90}
        required
      />
    </ConfirmButton>
  );
}

const keyColumns: Column<SigningKey>[] = [
  { title: 'Key id', cell: ({ kid }) => <Identifier id={kid} isWhole /> },
  { title: 'Algorithm', cell: ({ algorithm }) => algorithm },
  { title: 'State', cell: ({ active, canVerify }) => <KeyState isActive={active} canVerify={canVerify} /> },
  { title: 'Created', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Stops signing', cell: ({ expireTime }) => <Time value={expireTime} /> },
];

function KeyState({ isActive, canVerify }: { isActive: boolean; canVerify: boolean }) {
  if (isActive) return <Badge tone="good">Signs</Badge>;
  return canVerify ? <Badge tone="plain">Verifies</Badge> : <Badge tone="bad">Retired</Badge>;
}

const rotationColumns: Column<SecretRotation>[] = [
  { title: 'When', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'From', cell: ({ oldKid }) => oldKid && <Identifier id={oldKid} /> },
  { title: 'To', cell: ({ newKid }) => <Identifier id={newKid} /> },
  { title: 'By', cell: ({ actorId }) => (actorId === '' ? 'Schedule' : <Identifier id={actorId} />) },
  { title: 'Reason', cell: ({ reason }) => reason },
];
