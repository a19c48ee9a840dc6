import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListPaymentMethodsRequest,
  ListPaymentMethodsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { pageSizeOf, pageToken, readPageToken, splitPage } from '../paging/page-token.ts';
import { paymentMethodToProto } from './payment-method-proto.ts';
import { listPaymentMethodRows } from './payment-method-store.ts';

export async function listPaymentMethods(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListPaymentMethodsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListPaymentMethodsResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const size = pageSizeOf(request.pageSize);
  const scope = ['payment-methods', userId];
  const after = readPageToken(deps.keyring, scope, request.pageToken);
  const { page, last } = splitPage(await listPaymentMethodRows(deps.database, userId, after, size + 1), size);
  return {
    paymentMethods: page.map(paymentMethodToProto),
    nextPageToken: last === undefined ? '' : pageToken(deps.keyring, scope, [last.createTime, last.id]),
  };
}
