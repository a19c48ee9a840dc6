import { useQuery } from '@connectrpc/connect-query';
import { type Payment, PaymentStatus, PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { formatMoney } from '../money/money.ts';
import { useClaims } from '../session/session-store.ts';
import { Time } from '../time/time.tsx';
import { EnumChoice } from '../ui/enum-choice.tsx';
import { Field } from '../ui/field.tsx';
import { FilterForm } from '../ui/filter-form.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { enumInWords } from '../ui/words.ts';
import { LiveBadge } from '../watch/live-badge.tsx';
import { showInLists } from './show-in-lists.ts';
import { StatusBadge } from './status-badge.tsx';
import { usePaymentFeed } from './use-payment-feed.ts';

interface Filter {
  readonly status?: PaymentStatus;
  readonly type?: PaymentType;
  readonly userId?: string;
}

export function PaymentsPage() {
  const claims = useClaims();
  const [filter, setFilter] = useState<Filter>({});
  const pages = usePages(JSON.stringify(filter));
  const query = useQuery(
    PaymentsService.method.listPayments,
    { ...filter, pageToken: pages.pageToken, pageSize: 20, orderBy: 'create_time desc' },
    { placeholderData: keepPreviousData },
  );
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const watch = usePaymentFeed((payment) => showInLists(payment, filter.status !== undefined));
  return (
    <Page
      title="Payments"
      actions={
        <>
          <LiveBadge watch={watch} />
          <Link href="/payments/new" className="button primary">
            New payment
          </Link>
        </>
      }
    >
      <FilterForm
        label="Which payments"
        onFilter={(values) =>
          setFilter({
            status: values.choice(PaymentStatus, 'status'),
            type: values.choice(PaymentType, 'type'),
            userId: values.optional('user_id'),
          })
        }
      >
        <EnumChoice name="status" label="Status" values={PaymentStatus} none="All" />
        <EnumChoice name="type" label="Type" values={PaymentType} none="All" />
        {claims?.role === 'ADMIN' && <Field name="user_id" label="User id" autoComplete="off" />}
      </FilterForm>
      <Listing what="payments" query={query}>
        {({ payments, nextPageToken, stale }) => (
          <>
            {stale && <p className="notice">The database can’t be reached. This is the last known state.</p>}
            <Table
              caption="Payments, newest first"
              columns={columnsFor(claims?.userId)}
              rows={payments}
              keyOf={({ id }) => id}
              empty={isFiltered ? 'No payments match.' : 'No payments yet. Make the first one, or wait to be paid.'}
            />
            <Pager pages={pages} nextPageToken={nextPageToken} />
          </>
        )}
      </Listing>
    </Page>
  );
}

function columnsFor(userId: string | undefined): Column<Payment>[] {
  return [
    {
      title: 'Description',
      isLong: true,
      cell: ({ id, description }) => <Link href={`/payments/${id}`}>{description || 'No description'}</Link>,
    },
    {
      title: 'Amount',
      isNumber: true,
      cell: ({ amount }) => amount && formatMoney(amount.minorUnits, amount.currencyCode),
    },
    { title: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    { title: 'Type', cell: ({ type }) => enumInWords(PaymentType, type) },
    { title: 'Direction', cell: (payment) => directionOf(payment, userId) },
    { title: 'Created', cell: ({ createTime }) => <Time value={createTime} /> },
  ];
}

function directionOf({ senderId, recipientId }: Payment, userId: string | undefined): string {
  if (senderId === userId) return 'Sent';
  return recipientId === userId ? 'Received' : 'Between others';
}
