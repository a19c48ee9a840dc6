import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListRefundsRequest,
  ListRefundsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { pageSizeOf, pageToken, readPageToken, splitPage } from '../paging/page-token.ts';
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
  const size = pageSizeOf(request.pageSize);
  const scope = ['refunds', principal.userId, payment.id];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const { page, last } = splitPage(await listRefundRows(deps.database, payment.id, after, size + 1), size);
  return {
    refunds: page.map(refundToProto),
    nextPageToken: last === undefined ? '' : pageToken(deps.keyring, scope, [last.createTime, last.id]),
  };
}
