import { useQuery } from '@connectrpc/connect-query';
import type { Balance } from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { formatMoney } from '../money/money.ts';
import { useClaims } from '../session/session-store.ts';
import { Badge } from '../ui/badge.tsx';
import { Field } from '../ui/field.tsx';
import { FilterForm } from '../ui/filter-form.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { inWords } from '../ui/words.ts';
import { EntryTable } from './entry-table.tsx';

export function LedgerPage() {
  const isAdmin = useClaims()?.role === 'ADMIN';
  const [userId, setUserId] = useState<string>();
  const pages = usePages(userId ?? '');
  const balances = useQuery(PaymentsService.method.getBalances, { userId });
  const entries = useQuery(
    PaymentsService.method.listLedgerEntries,
    { userId, pageToken: pages.pageToken, pageSize: 20 },
    { placeholderData: keepPreviousData },
  );
  return (
    <Page title="Ledger">
      {isAdmin && (
        <FilterForm label="Whose" onFilter={(values) => setUserId(values.optional('user_id'))}>
          <Field name="user_id" label="User id" hint="Left empty, the whole ledger." autoComplete="off" />
        </FilterForm>
      )}
      <Section title="Balances">
        <Listing what="balances" query={balances}>
          {({ balances: found, balanced }) => (
            <>
              <Table
                caption="What each account holds"
                columns={columns}
                rows={found}
                keyOf={keyOf}
                empty="No money has moved yet."
              />
              {(found.length > 0 || !balanced) && (
                <p>
                  <Badge tone={balanced ? 'good' : 'bad'}>{balanced ? 'Balanced' : 'Not balanced'}</Badge> Every
                  transaction behind these figures {balanced ? 'sums' : 'should sum'} to zero for each currency.
                </p>
              )}
            </>
          )}
        </Listing>
      </Section>
      <Section title="Entries">
        <Listing what="ledger entries" query={entries}>
          {({ entries: found, nextPageToken }) => (
            <>
              <EntryTable entries={found} />
              <Pager pages={pages} nextPageToken={nextPageToken} />
            </>
          )}
        </Listing>
      </Section>
    </Page>
  );
}

const keyOf = ({ userId, account, currencyCode }: Balance) => `${userId} ${account} ${currencyCode}`;

const columns: Column<Balance>[] = [
  { title: 'Account', cell: ({ account }) => inWords(account) },
  { title: 'Currency', cell: ({ currencyCode }) => currencyCode },
  {
    title: 'Balance',
    isNumber: true,
    cell: ({ minorUnits, currencyCode }) => formatMoney(minorUnits, currencyCode),
  },
];
