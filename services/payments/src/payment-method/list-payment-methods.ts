import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ListPaymentMethodsRequest,
  ListPaymentMethodsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { paymentMethodToProto } from './payment-method-proto.ts';
import { listPaymentMethodRows } from './payment-method-store.ts';

export async function listPaymentMethods(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListPaymentMethodsRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListPaymentMethodsResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const scope = ['payment-methods', userId];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listPaymentMethodRows(deps.database, userId, page);
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { paymentMethods: rows.map(paymentMethodToProto), nextPageToken };
}
