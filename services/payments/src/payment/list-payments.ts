import { create, type MessageShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import {
  type ListPaymentsRequest,
  ListPaymentsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { protoToTimestamp } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { listPaymentRows, type PaymentFilter, parseOrder, positionOf } from './payment-list-store.ts';
import { paymentToProto, protoToPaymentStatus, protoToPaymentType } from './payment-proto.ts';

export async function listPayments(
  deps: Pick<Deps, 'database' | 'keyring' | 'staleReads'>,
  request: ListPaymentsRequest,
  call: Call,
): Promise<MessageShape<typeof ListPaymentsResponseSchema>> {
  const principal = requirePrincipal(call);
  const isAdmin = principal.role === Role.ADMIN;
  if (request.userId !== undefined && request.userId !== principal.userId && !isAdmin) throw commonErrors.FORBIDDEN();
  const filter: PaymentFilter = {
    userId: request.userId ?? (isAdmin ? undefined : principal.userId),
    status: request.status === undefined ? undefined : protoToPaymentStatus(request.status),
    type: request.type === undefined ? undefined : protoToPaymentType(request.type),
    startTime: request.startTime === undefined ? undefined : protoToTimestamp(request.startTime),
    endTime: request.endTime === undefined ? undefined : protoToTimestamp(request.endTime),
  };
  const order = parseOrder(request.orderBy);
  const scope = [
    'payments',
    principal.userId,
    String(principal.role),
    order.by,
    String(order.isDescending),
    JSON.stringify(filter),
  ];
  const page = requestedPage(deps.keyring, scope, request);
  const ask = async () => {
    const found = await listPaymentRows(deps.database, filter, { ...page, order });
    const { rows, nextPageToken } = page.cut(found, (payment) => positionOf(payment, order));
    return create(ListPaymentsResponseSchema, { payments: rows.map(paymentToProto), nextPageToken });
  };
  // What an administrator sees of others is not kept: their erasure would not find it.
  if (isAdmin) return ask();
  const { message, stale } = await deps.staleReads.read({
    kind: 'payments',
    userId: principal.userId,
    parts: [...scope, String(page.rowsMax), request.pageToken],
    schema: ListPaymentsResponseSchema,
    ask,
  });
  if (stale) {
    message.stale = true;
    for (const payment of message.payments) payment.stale = true;
  }
  return message;
}
