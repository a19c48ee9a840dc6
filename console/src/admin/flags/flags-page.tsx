import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { Flag } from '@strongroom/gen/strongroom/admin/v1/flag_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Identifier } from '../../ui/identifier.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { ReasonField } from '../reason-field.tsx';

const { listFlags, setFlag } = AdminService.method;

export function FlagsPage() {
  const query = useQuery(listFlags);
  return (
    <Page title="Flags">
      <Listing what="flags" query={query}>
        {({ flags }) => (
          <Table
            caption="What can be switched off while the system runs"
            columns={columns}
            rows={flags}
            keyOf={({ name }) => name}
            empty="There is nothing to switch."
          />
        )}
      </Listing>
    </Page>
  );
}

const columns: Column<Flag>[] = [
  {
    title: 'Flag',
    cell: ({ name, description }) => (
      <>
        <code>{name}</code>
        <p className="hint">{description}</p>
      </>
    ),
  },
  { title: 'State', cell: ({ enabled }) => <Badge tone={enabled ? 'good' : 'bad'}>{enabled ? 'On' : 'Off'}</Badge> },
  { title: 'Set by', cell: ({ actorId }) => actorId && <Identifier id={actorId} /> },
  { title: 'Last set', cell: ({ updateTime }) => <Time value={updateTime} none="Never" /> },
  { title: 'Actions', cell: (flag) => <SwitchButton flag={flag} /> },
];

function SwitchButton({ flag: { name, enabled } }: { flag: Flag }) {
  const change = useMutation(setFlag, { onSuccess: () => invalidate(listFlags) });
  const verb = enabled ? 'Switch off' : 'Switch on';
  return (
    <ConfirmButton
      label={verb}
      title={`${verb}: ${name}`}
      confirmLabel={verb}
      isDangerous={enabled}
      act={(values) => change.mutateAsync({ name, enabled: !enabled, reason: values.text('reason') })}
    >
      <p>This takes effect for everybody within a second.</p>
      <ReasonField />
    </ConfirmButton>
  );
}
