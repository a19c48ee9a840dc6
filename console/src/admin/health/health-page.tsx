import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import {
  type ComponentHealth,
  type GetSystemHealthResponse,
  HealthState,
} from '@strongroom/gen/strongroom/admin/v1/health_pb.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { enumInWords } from '../../ui/words.ts';

export function HealthPage() {
  const query = useQuery(AdminService.method.getSystemHealth);
  return (
    <Page
      title="Health"
      actions={
        <button type="button" disabled={query.isFetching} onClick={() => query.refetch()}>
          Check again
        </button>
      }
    >
      <Listing what="the state of the system" query={query}>
        {(health) => <HealthFacts health={health} />}
      </Listing>
    </Page>
  );
}

function HealthFacts({ health }: { health: GetSystemHealthResponse }) {
  return (
    <>
      <Section title="The whole" actions={<StateBadge state={health.state} />}>
        <Facts
          facts={[
            ['Events on their way into the audit log', String(health.auditLagEvents)],
            ['Age of the oldest of them', `${health.auditLagSeconds.toFixed(1)} s`],
            ['Checked', <Time key="checked" value={health.checkTime} />],
          ]}
        />
      </Section>
      <Table
        caption="The parts"
        columns={columns}
        rows={health.components}
        keyOf={({ name }) => name}
        empty="No part was checked."
      />
    </>
  );
}

const columns: Column<ComponentHealth>[] = [
  { title: 'Part', cell: ({ name }) => <code>{name}</code> },
  { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
  { title: 'Answered in', isNumber: true, cell: ({ latencyMs }) => `${latencyMs.toFixed(1)} ms` },
  { title: 'Why', cell: ({ reasons }) => reasons.join('; ') || '—' },
];

const tones: Partial<Record<HealthState, Tone>> = {
  [HealthState.HEALTHY]: 'good',
  [HealthState.DEGRADED]: 'busy',
  [HealthState.UNHEALTHY]: 'bad',
};

function StateBadge({ state }: { state: HealthState }) {
  return <Badge tone={tones[state] ?? 'plain'}>{enumInWords(HealthState, state)}</Badge>;
}
