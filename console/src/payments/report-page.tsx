import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import type { CurrencyReport } from '@strongroom/gen/strongroom/payments/v1/report_pb.ts';
import { useState } from 'react';
import { formatMoney } from '../money/money.ts';
import { useTimeZone } from '../time/time-zone.tsx';
import { dayAfter, instantOf } from '../time/zone.ts';
import { FilterForm } from '../ui/filter-form.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { PeriodFields } from '../ui/period-fields.tsx';
import { Table } from '../ui/table.tsx';
import { enumInWords } from '../ui/words.ts';

export function ReportPage() {
  const [period, setPeriod] = useState<{ from?: string; to?: string }>({});
  const zone = useTimeZone();
  const query = useQuery(PaymentsService.method.getReport, {
    startTime: period.from === undefined ? undefined : timestampFromDate(instantOf(period.from, zone)),
    endTime: period.to === undefined ? undefined : timestampFromDate(dayAfter(period.to, zone)),
  });
  return (
    <Page title="Report">
      <FilterForm
        label="Period"
        onFilter={(values) => setPeriod({ from: values.optional('from'), to: values.optional('to') })}
      >
        <PeriodFields />
      </FilterForm>
      <Listing what="the report" query={query}>
        {({ currencies }) =>
          currencies.length === 0 ? (
            <p className="empty">No payments in this period.</p>
          ) : (
            currencies.map((report) => <CurrencySection key={report.currencyCode} report={report} />)
          )
        }
      </Listing>
    </Page>
  );
}

function CurrencySection({ report }: { report: CurrencyReport }) {
  const { currencyCode, paymentCount, totalMinorUnits, refundedMinorUnits, byStatus } = report;
  return (
    <Section title={currencyCode}>
      <p>
        {formatMoney(totalMinorUnits, currencyCode)} in {String(paymentCount)}{' '}
        {paymentCount === 1n ? 'payment' : 'payments'}
        {refundedMinorUnits > 0n && `, of which ${formatMoney(refundedMinorUnits, currencyCode)} was refunded`}.
      </p>
      <Table
        caption={`Payments in ${currencyCode} by status`}
        rows={byStatus}
        keyOf={({ status }) => String(status)}
        empty="None."
        columns={[
          { title: 'Status', cell: ({ status }) => enumInWords(PaymentStatus, status) },
          { title: 'Payments', isNumber: true, cell: (row) => String(row.paymentCount) },
          { title: 'Sum', isNumber: true, cell: (row) => formatMoney(row.totalMinorUnits, currencyCode) },
        ]}
      />
    </Section>
  );
}
