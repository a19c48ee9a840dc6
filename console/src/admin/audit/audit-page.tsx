import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { useTimeZone } from '../../time/time-zone.tsx';
import { Choice, Field } from '../../ui/field.tsx';
import { FilterForm } from '../../ui/filter-form.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { inWords } from '../../ui/words.ts';
import { type AuditFilter, auditFilterToRequest, readAuditFilter } from './audit-filter.ts';
import { EventTable } from './event-table.tsx';
import { LiveTail } from './live-tail.tsx';

export function AuditPage() {
  const [filter, setFilter] = useState<AuditFilter>({});
  const [isLive, setLive] = useState(false);
  return (
    <Page
      title="Audit log"
      actions={
        <button type="button" aria-pressed={isLive} onClick={() => setLive(!isLive)}>
          {isLive ? 'Back to the list' : 'Live tail'}
        </button>
      }
    >
      <AuditFilterForm onFilter={setFilter} />
      {isLive ? <LiveTail filter={filter} /> : <EventList filter={filter} />}
    </Page>
  );
}

function EventList({ filter }: { filter: AuditFilter }) {
  const pages = usePages(JSON.stringify(filter));
  const zone = useTimeZone();
  const query = useQuery(
    AdminService.method.listAuditEvents,
    { ...auditFilterToRequest(filter, zone), pageToken: pages.pageToken, pageSize: 25 },
    { placeholderData: keepPreviousData },
  );
  return (
    <Listing what="events" query={query}>
      {({ events, nextPageToken }) => (
        <>
          <EventTable
            events={events}
            caption="Events, newest first"
            empty={
              nextPageToken === '' ? 'No events match.' : 'No match so far. The search continues on the next page.'
            }
          />
          <Pager pages={pages} nextPageToken={nextPageToken} />
        </>
      )}
    </Listing>
  );
}

function AuditFilterForm({ onFilter }: { onFilter(filter: AuditFilter): void }) {
  const { data } = useQuery(AdminService.method.listAuditActions, {}, { staleTime: Number.POSITIVE_INFINITY });
  return (
    <FilterForm label="Which events" onFilter={(values) => onFilter(readAuditFilter(values))}>
      <ListChoice name="action" label="Action" values={data?.actions} />
      <ListChoice name="resource_type" label="Resource type" values={data?.resourceTypes} spell={inWords} />
      <Field name="resource_id" label="Resource id" autoComplete="off" maxLength={255} />
      <Field name="actor_id" label="Actor" autoComplete="off" placeholder="User id" />
      <Field name="subject_id" label="Subject" autoComplete="off" placeholder="User id" />
      <Field name="text" label="Text" type="search" autoComplete="off" maxLength={255} />
      <Field name="from" label="From" type="datetime-local" />
      <Field name="to" label="To" type="datetime-local" />
    </FilterForm>
  );
}

interface ListChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly values: readonly string[] | undefined;
  /** How a value is shown; as it is when left out. */
  spell?(value: string): string;
}

function ListChoice({ name, label, values = [], spell = (value) => value }: ListChoiceProps) {
  return (
    <Choice name={name} label={label}>
      <option value="">All</option>
      {values.map((value) => (
        <option key={value} value={value}>
          {spell(value)}
        </option>
      ))}
    </Choice>
  );
}
