import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  RemovePaymentMethodRequest,
  RemovePaymentMethodResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { removePaymentMethodRow } from './payment-method-store.ts';

export async function removePaymentMethod(
  { database }: Pick<Deps, 'database'>,
  request: RemovePaymentMethodRequest,
  call: Call,
): Promise<MessageInitShape<typeof RemovePaymentMethodResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const act = actOf(call);
  await database.transaction(act, async (tx) => {
    if (!(await removePaymentMethodRow(tx, request.id, userId))) throw errors.PAYMENT_METHOD_NOT_FOUND();
    await appendEvent(tx, act, {
      action: 'PAYMENT_METHOD_REMOVED',
      resourceType: 'payment_method',
      resourceId: request.id,
      subjectId: userId,
    });
  });
  return {};
}
