import { createClient } from '@connectrpc/connect';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { Link } from 'wouter';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { downloadFile } from '../ui/download.ts';
import { Section } from '../ui/page.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { type OwnAct, useOwnActs } from './own-acts.ts';

const payments = createClient(PaymentsService, transport);

/** Receipts of what the person has just done: proofs that hold without this server. */
export function ReceiptList({ paymentId }: { paymentId: string }) {
  const acts = useOwnActs(paymentId);
  if (acts.length === 0) return null;
  return (
    <Section title="Receipts">
      <Table
        caption="What you have just done"
        columns={columnsFor(paymentId)}
        rows={acts}
        keyOf={keyOf}
        empty="Nothing."
      />
      <p className="hint">
        A receipt proves that the action stands in the audit log. Check it in <Link href="/proof">this browser</Link>,
        or anywhere by <code>npm run audit:verify -- --receipt FILE</code> and the log’s public keys.
      </p>
    </Section>
  );
}

const keyOf = ({ eventId }: OwnAct) => eventId;

function columnsFor(paymentId: string): Column<OwnAct>[] {
  return [
    { title: 'Action', cell: ({ what }) => what },
    { title: 'Event', isLong: true, cell: ({ eventId }) => <code>{eventId}</code> },
    { title: 'Receipt', cell: ({ eventId }) => <ReceiptButton paymentId={paymentId} eventId={eventId} /> },
  ];
}

function ReceiptButton({ paymentId, eventId }: { paymentId: string; eventId: string }) {
  const download = useMutation({
    mutationFn: async () => {
      const { auditReceipt } = await payments.getPaymentReceipt({ id: paymentId, eventId });
      downloadFile(`${eventId}.tlog-proof`, auditReceipt, 'text/plain');
    },
  });
  return (
    <>
      <button type="button" disabled={download.isPending} onClick={() => download.mutate()}>
        Download
      </button>
      <ErrorNotice error={download.error} />
    </>
  );
}
