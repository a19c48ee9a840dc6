import { create, type MessageShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { type GetPaymentRequest, GetPaymentResponseSchema } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { requireVisible } from './payment.ts';
import { changeToProto, paymentToProto } from './payment-proto.ts';
import { findPayment, listChanges } from './payment-store.ts';

export async function getPayment(
  { database, staleReads }: Pick<Deps, 'database' | 'staleReads'>,
  request: GetPaymentRequest,
  call: Call,
): Promise<MessageShape<typeof GetPaymentResponseSchema>> {
  const principal = requirePrincipal(call);
  const ask = async () => {
    const payment = requireVisible(principal, await findPayment(database, request.id));
    const changes = await listChanges(database, payment.id);
    return create(GetPaymentResponseSchema, {
      payment: { ...paymentToProto(payment), changes: changes.map(changeToProto) },
    });
  };
  // What an administrator sees of others is not kept: their erasure would not find it.
  if (principal.role === Role.ADMIN) return ask();
  const { message, stale } = await staleReads.read({
    kind: 'payment',
    userId: principal.userId,
    parts: [String(principal.role), request.id],
    schema: GetPaymentResponseSchema,
    ask,
  });
  if (stale && message.payment !== undefined) message.payment.stale = true;
  return message;
}
