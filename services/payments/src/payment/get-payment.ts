import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetPaymentRequest, GetPaymentResponseSchema } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { requireVisible } from './payment.ts';
import { changeToProto, paymentToProto } from './payment-proto.ts';
import { findPayment, listChanges } from './payment-store.ts';

export async function getPayment(
  deps: Pick<Deps, 'database'>,
  request: GetPaymentRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetPaymentResponseSchema>> {
  const principal = requirePrincipal(call);
  const payment = requireVisible(principal, await findPayment(deps.database, request.id));
  const changes = await listChanges(deps.database, payment.id);
  return { payment: { ...paymentToProto(payment), changes: changes.map(changeToProto) } };
}
