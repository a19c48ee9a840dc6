import type { MessageShape } from '@bufbuild/protobuf';
import {
  type RefundPaymentRequest,
  RefundPaymentResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { runIdempotent } from '../idempotency/idempotent.ts';
import { requireRecipient } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import { paymentToProto } from '../payment/payment-proto.ts';
import { lockPayment } from '../payment/payment-store.ts';
import { insertTask } from '../psp/psp-task-store.ts';
import { decideRefund, type Refund } from './refund.ts';
import { refundToProto } from './refund-proto.ts';
import { insertRefund } from './refund-store.ts';

/** Reserves the amount and hands the refund to the provider; psp/settle-refund.ts posts it when the provider has done it. */
export async function refundPayment(
  deps: Deps,
  request: RefundPaymentRequest,
  call: Call,
): Promise<MessageShape<typeof RefundPaymentResponseSchema>> {
  const principal = requirePrincipal(call);
  const response = await runIdempotent(deps, RefundPaymentResponseSchema, request, call, async (tx) => {
    const payment = requireRecipient(principal, await lockPayment(tx, request.id));
    const minorUnits = decideRefund(payment, request.amount);
    const refund: Refund = {
      id: uuidv7(),
      paymentId: payment.id,
      currencyCode: payment.currencyCode,
      minorUnits,
      status: 'processing',
      reason: request.reason,
      actorId: principal.userId,
      pspTransactionId: null,
      createTime: new Date(deps.now()).toISOString(),
      completeTime: null,
    };
    await insertRefund(tx, refund);
    await insertTask(tx, { id: refund.id, kind: 'refund', paymentId: payment.id });
    const details = { refundId: refund.id, refundMinorUnits: String(minorUnits), refundStatus: refund.status };
    // Who asked for it; what became of it is told by the provider's act.
    const auditEventId = await appendEvent(tx, actOf(call), paymentEvent('PAYMENT_UPDATED', payment, details));
    return { refund: refundToProto(refund), payment: paymentToProto(payment), auditEventId };
  });
  deps.signals.raise('psp-task');
  return response;
}
