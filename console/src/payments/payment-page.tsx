import { create } from '@bufbuild/protobuf';
import { createConnectQueryKey, useQuery, useTransport } from '@connectrpc/connect-query';
import {
  GetPaymentResponseSchema,
  type Payment,
  type PaymentChange,
  PaymentStatus,
  PaymentType,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useQueryClient } from '@tanstack/react-query';
import { useParams } from 'wouter';
import { invalidate } from '../api/invalidate.ts';
import { formatMoney } from '../money/money.ts';
import { useClaims } from '../session/session-store.ts';
import { Time } from '../time/time.tsx';
import { Facts } from '../ui/facts.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { actorInWords, enumInWords } from '../ui/words.ts';
import { LiveBadge } from '../watch/live-badge.tsx';
import { PaymentActions } from './payment-actions.tsx';
import { PaymentEntries } from './payment-entries.tsx';
import { ReceiptList } from './receipt-list.tsx';
import { recurrenceInWords } from './recurrence.ts';
import { RefundList } from './refund-list.tsx';
import { StatusBadge } from './status-badge.tsx';
import { usePaymentFeed } from './use-payment-feed.ts';

export function PaymentPage() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useQuery(PaymentsService.method.getPayment, { id });
  const show = useShownPayment(id);
  const watch = usePaymentFeed((payment) => {
    if (payment.id !== id) return;
    show(payment);
    const { getPayment, listRefunds, listLedgerEntries, listPayments } = PaymentsService.method;
    void invalidate(getPayment, listRefunds, listLedgerEntries, listPayments);
  });
  return (
    <Page title="Payment" actions={<LiveBadge watch={watch} />}>
      <Listing what="the payment" query={query}>
        {({ payment }) => payment !== undefined && <PaymentDetails payment={payment} />}
      </Listing>
    </Page>
  );
}

/** Shows the new state at once; what the feed leaves out, such as the history, is read after it. */
function useShownPayment(id: string): (payment: Payment) => void {
  const transport = useTransport();
  const client = useQueryClient();
  const queryKey = createConnectQueryKey({
    schema: PaymentsService.method.getPayment,
    input: { id },
    transport,
    cardinality: 'finite',
  });
  return (payment) =>
    client.setQueryData(queryKey, (before) =>
      create(GetPaymentResponseSchema, { payment: { ...payment, changes: before?.payment?.changes ?? [] } }),
    );
}

function PaymentDetails({ payment }: { payment: Payment }) {
  const { amount, refundedAmount } = payment;
  const ownId = useClaims()?.userId;
  const person = (id: string) => (id === ownId ? 'You' : <Identifier id={id} isWhole />);
  const money = (value: typeof amount) => value && formatMoney(value.minorUnits, value.currencyCode);
  return (
    <>
      <Section isFigure title={money(amount) ?? ''} actions={<StatusBadge status={payment.status} />}>
        <p className="lead">{payment.description}</p>
        <Facts
          facts={[
            ['Type', enumInWords(PaymentType, payment.type)],
            ['Refunded', refundedAmount && refundedAmount.minorUnits > 0n ? money(refundedAmount) : undefined],
            ['From', person(payment.senderId)],
            ['To', person(payment.recipientId)],
            ['Due', payment.scheduledAt && <Time value={payment.scheduledAt} />],
            ['Repeats', payment.recurrence && recurrenceInWords(payment.recurrence)],
            ['Created', <Time key="created" value={payment.createTime} />],
            ['Completed', payment.completeTime && <Time value={payment.completeTime} />],
            ['Provider reference', payment.pspTransactionId],
            ['Failure reason', payment.failureReason],
            ['Id', <Identifier key="id" id={payment.id} isWhole />],
          ]}
        />
        <PaymentActions payment={payment} />
      </Section>
      <Section title="History">
        <Table
          caption="Status changes, oldest first"
          columns={changeColumnsFor(ownId)}
          rows={payment.changes}
          keyOf={({ version }) => String(version)}
          empty="No changes since it was created."
        />
      </Section>
      <ReceiptList paymentId={payment.id} />
      <RefundList payment={payment} />
      <PaymentEntries paymentId={payment.id} />
    </>
  );
}

function changeColumnsFor(ownId: string | undefined): Column<PaymentChange>[] {
  return [
    { title: 'When', cell: ({ changeTime }) => <Time value={changeTime} /> },
    { title: 'Status', cell: ({ toStatus }) => <StatusBadge status={toStatus} /> },
    {
      title: 'Before',
      cell: ({ fromStatus }) => (fromStatus === 0 ? undefined : enumInWords(PaymentStatus, fromStatus)),
    },
    { title: 'By', cell: (change) => actorOf(change, ownId) },
    { title: 'Reason', cell: ({ reason }) => reason },
  ];
}

function actorOf({ actorKind, actorId }: PaymentChange, ownId: string | undefined) {
  if (actorId === '') return actorInWords(actorKind);
  return actorId === ownId ? 'You' : <Identifier id={actorId} />;
}
