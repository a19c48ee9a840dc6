import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { type Anomaly, AnomalyKind, AnomalyState } from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { Time } from '../../time/time.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { EnumChoice } from '../../ui/enum-choice.tsx';
import { Field } from '../../ui/field.tsx';
import { FilterForm } from '../../ui/filter-form.tsx';
import { Identifier } from '../../ui/identifier.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { enumInWords, inWords } from '../../ui/words.ts';
import { ResolveButton } from './resolve-button.tsx';

interface Filter {
  readonly kind?: AnomalyKind;
  readonly state?: AnomalyState;
  readonly userId?: string;
}

export function AnomaliesPage() {
  const [filter, setFilter] = useState<Filter>({});
  const pages = usePages(JSON.stringify(filter));
  const query = useQuery(
    AdminService.method.listAnomalies,
    { ...filter, pageToken: pages.pageToken, pageSize: 20 },
    { placeholderData: keepPreviousData },
  );
  return (
    <Page title="Anomalies">
      <FilterForm
        label="Which anomalies"
        onFilter={(values) =>
          setFilter({
            kind: values.choice(AnomalyKind, 'kind'),
            state: values.choice(AnomalyState, 'state'),
            userId: values.optional('user_id'),
          })
        }
      >
        <EnumChoice name="kind" label="Kind" values={AnomalyKind} none="All" />
        <EnumChoice name="state" label="State" values={AnomalyState} none="All" />
        <Field name="user_id" label="User id" autoComplete="off" />
      </FilterForm>
      <Listing what="anomalies" query={query}>
        {({ anomalies, nextPageToken }) => (
          <>
            <Table
              caption="Anomalies, newest first"
              columns={columns}
              rows={anomalies}
              keyOf={({ id }) => id}
              empty="No anomalies: nothing unusual was seen."
            />
            <Pager pages={pages} nextPageToken={nextPageToken} />
          </>
        )}
      </Listing>
    </Page>
  );
}

const tones: Partial<Record<AnomalyState, Tone>> = {
  [AnomalyState.OPEN]: 'busy',
  [AnomalyState.CONFIRMED]: 'bad',
  [AnomalyState.DISMISSED]: 'good',
};

const columns: Column<Anomaly>[] = [
  {
    title: 'What',
    cell: ({ kind, reasons }) => (
      <>
        {enumInWords(AnomalyKind, kind)}
        <p className="hint">{reasons.join('; ')}</p>
      </>
    ),
  },
  { title: 'Score', isNumber: true, cell: ({ score }) => score.toFixed(2) },
  { title: 'Response', cell: ({ action }) => inWords(action) },
  {
    title: 'User',
    cell: ({ userId }) =>
      userId === '' ? undefined : (
        <Link href={`/admin/users/${userId}`}>
          <Identifier id={userId} />
        </Link>
      ),
  },
  { title: 'Seen', cell: ({ createTime }) => <Time value={createTime} /> },
  {
    title: 'State',
    cell: ({ state, resolution }) => (
      <>
        <Badge tone={tones[state] ?? 'plain'}>{enumInWords(AnomalyState, state)}</Badge>
        {resolution !== '' && <p className="hint">{resolution}</p>}
      </>
    ),
  },
  { title: 'Actions', cell: ({ id, state }) => (state === AnomalyState.OPEN ? <ResolveButton id={id} /> : undefined) },
];
