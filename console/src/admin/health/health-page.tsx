import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import {
  type ComponentHealth,
  type GetSystemHealthResponse,
  HealthState,
} from '@strongroom/gen/strongroom/admin/v1/health_pb.ts';
import { Time } from '../../time/time.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
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
      <Section title="Overall" actions={<StateBadge state={health.state} />}>
        <Facts
          facts={[
            ['Events not yet in the audit log', String(health.auditLagEvents)],
            ['Age of the oldest', `${health.auditLagSeconds.toFixed(1)} s`],
            ['Checked', <Time key="checked" value={health.checkTime} />],
          ]}
        />
      </Section>
      <Table
        caption="Components"
        columns={columns}
        rows={health.components}
        keyOf={({ name }) => name}
        empty="No component was checked."
      />
    </>
  );
}

const columns: Column<ComponentHealth>[] = [
  { title: 'Component', cell: ({ name }) => <code>{name}</code> },
  { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
  { title: 'Latency', isNumber: true, cell: ({ latencyMs }) => `${latencyMs.toFixed(1)} ms` },
  { title: 'Details', cell: ({ reasons }) => reasons.join('; ') },
];

const tones: Partial<Record<HealthState, Tone>> = {
  [HealthState.HEALTHY]: 'good',
  [HealthState.DEGRADED]: 'busy',
  [HealthState.UNHEALTHY]: 'bad',
};

function StateBadge({ state }: { state: HealthState }) {
  return <Badge tone={tones[state] ?? 'plain'}>{enumInWords(HealthState, state)}</Badge>;
}
