import { createConnectQueryKey } from '@connectrpc/connect-query';
import type { ListPaymentsResponse, Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { queryClient } from '../api/query-client.ts';

const { listPayments } = PaymentsService.method;
const queryKey = createConnectQueryKey({ schema: listPayments, cardinality: 'finite' });

/** Puts a payment's new state where it is listed, without a call; reads the list again where it may now hold another row. */
export function showInLists(payment: Payment, isFilteredByStatus: boolean): void {
  let isListed = false;
  queryClient.setQueriesData<ListPaymentsResponse>({ queryKey }, (page) => {
    if (page === undefined || !page.payments.some(({ id }) => id === payment.id)) return page;
    isListed = true;
    return { ...page, payments: page.payments.map((listed) => (listed.id === payment.id ? payment : listed)) };
  });
  if (!isListed || isFilteredByStatus) void invalidate(listPayments);
}
