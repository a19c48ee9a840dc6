import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListRefundsRequest,
  ListRefundsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { requireVisible } from '../payment/payment.ts';
import { findPayment } from '../payment/payment-store.ts';
import { refundToProto } from './refund-proto.ts';
import { listRefundRows } from './refund-store.ts';

export async function listRefunds(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListRefundsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListRefundsResponseSchema>> {
  const principal = requirePrincipal(call);
  const payment = requireVisible(principal, await findPayment(deps.database, request.id));
  const scope = ['refunds', principal.userId, payment.id];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listRefundRows(deps.database, payment.id, page);
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { refunds: rows.map(refundToProto), nextPageToken };
}
