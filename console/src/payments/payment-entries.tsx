import { useQuery } from '@connectrpc/connect-query';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { EntryTable } from '../ledger/entry-table.tsx';
import { Listing } from '../ui/listing.tsx';
import { Section } from '../ui/page.tsx';

export function PaymentEntries({ paymentId }: { paymentId: string }) {
  const query = useQuery(PaymentsService.method.listLedgerEntries, { paymentId, pageSize: 100 });
  return (
    <Section title="Ledger">
      <Listing what="ledger entries" query={query}>
        {({ entries }) => <EntryTable entries={entries} />}
      </Listing>
    </Section>
  );
}
