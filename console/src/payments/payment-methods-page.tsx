import { useMutation, useQuery } from '@connectrpc/connect-query';
import type { PaymentMethod } from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { Time } from '../time/time.tsx';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Flash } from '../ui/flash.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { AddPaymentMethod } from './add-payment-method.tsx';
import { methodName } from './method-name.ts';

const { addPaymentMethod, listPaymentMethods, removePaymentMethod } = PaymentsService.method;
const refreshed = () => invalidate(listPaymentMethods);

export function PaymentMethodsPage() {
  const pages = usePages('');
  const query = useQuery(listPaymentMethods, { pageToken: pages.pageToken });
  const add = useMutation(addPaymentMethod, { onSuccess: refreshed });
  return (
    <Page title="Payment methods">
      <Section title="Your payment methods">
        <Listing what="payment methods" query={query}>
          {({ paymentMethods, nextPageToken }) => (
            <>
              <Table
                caption="Payment methods, newest first"
                columns={columns}
                rows={paymentMethods}
                keyOf={({ id }) => id}
                empty="No payment methods yet. Without one, the provider charges payments by its default."
              />
              <Pager pages={pages} nextPageToken={nextPageToken} />
            </>
          )}
        </Listing>
      </Section>
      <Flash message={add.data?.paymentMethod && `${methodName(add.data.paymentMethod)} was added.`} />
      <AddPaymentMethod add={(method) => add.mutateAsync({ method })} isPending={add.isPending} error={add.error} />
    </Page>
  );
}

const columns: Column<PaymentMethod>[] = [
  { title: 'Method', cell: methodName },
  {
    title: 'Expires',
    cell: ({ expMonth, expYear }) => (expYear === 0 ? undefined : `${String(expMonth).padStart(2, '0')}/${expYear}`),
  },
  { title: 'Added', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Actions', cell: ({ id }) => <RemoveButton id={id} /> },
];

function RemoveButton({ id }: { id: string }) {
  const remove = useMutation(removePaymentMethod, { onSuccess: refreshed });
  return (
    <ConfirmButton
      label="Remove"
      title="Remove this payment method"
      confirmLabel="Remove"
      act={() => remove.mutateAsync({ id })}
    >
      <p>Payments that were planned with it will fail. It can be added again.</p>
    </ConfirmButton>
  );
}
