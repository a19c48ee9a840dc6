import { useQuery } from '@connectrpc/connect-query';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { type Refund, RefundStatus } from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { formatMoney } from '../money/money.ts';
import { Time } from '../time/time.tsx';
import { Badge } from '../ui/badge.tsx';
import { Listing } from '../ui/listing.tsx';
import { Section } from '../ui/page.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { enumInWords } from '../ui/words.ts';

/** Read only where there was something to give back: a call less against the person's limit. */
export function RefundList({ payment: { id, completeTime } }: { payment: Payment }) {
  const query = useQuery(
    PaymentsService.method.listRefunds,
    { id, pageSize: 100 },
    { enabled: completeTime !== undefined },
  );
  if (completeTime === undefined) return null;
  return (
    <Section title="Refunds">
      <Listing what="refunds" query={query}>
        {({ refunds }) => (
          <Table
            caption="Refunds, oldest first"
            columns={columns}
            rows={refunds}
            keyOf={(refund) => refund.id}
            empty="Nothing was refunded."
          />
        )}
      </Listing>
    </Section>
  );
}

const columns: Column<Refund>[] = [
  { title: 'When', cell: ({ createTime }) => <Time value={createTime} /> },
  {
    title: 'Amount',
    isNumber: true,
    cell: ({ amount }) => amount && formatMoney(amount.minorUnits, amount.currencyCode),
  },
  { title: 'Status', cell: ({ status }) => <Badge tone={toneOf(status)}>{enumInWords(RefundStatus, status)}</Badge> },
  { title: 'Reason', cell: ({ reason }) => reason },
];

function toneOf(status: RefundStatus) {
  if (status === RefundStatus.COMPLETED) return 'good';
  return status === RefundStatus.FAILED ? 'bad' : 'busy';
}
