import type { MessageShape } from '@bufbuild/protobuf';
import {
  type CancelPaymentRequest,
  CancelPaymentResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import type { Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { runPrepared } from '../idempotency/idempotent.ts';
import { deleteTask, holdTask } from '../psp/psp-task-store.ts';
import { decideCancel, type Payment, requireEtag, requireSender } from './payment.ts';
import { paymentEvent } from './payment-event.ts';
import { paymentToProto } from './payment-proto.ts';
import { changeStatus, findPayment, lockPayment } from './payment-store.ts';
import { askForCharge, type ProviderWord } from './provider-word.ts';

/** Its sender withdraws a pending payment; an administrator also one of which the provider says that nothing happened. */
export async function cancelPayment(
  deps: Deps,
  request: CancelPaymentRequest,
  call: Call,
): Promise<MessageShape<typeof CancelPaymentResponseSchema>> {
  const principal = requirePrincipal(call);
  const response = await runPrepared(deps, CancelPaymentResponseSchema, request, call, {
    async prepare() {
      // Outside of any transaction: nobody waits for the provider with a row locked.
      const seen = await findPayment(deps.database, request.id);
      if (seen?.status !== 'processing') return undefined;
      // Refuses who may not, before the provider is asked for him.
      decideCancel(principal, requireSender(principal, seen));
      return askForCharge(deps, seen);
    },
    async write(tx, word) {
      const payment = requireSender(principal, await lockPayment(tx, request.id));
      requireEtag(payment, request.etag);
      if (decideCancel(principal, payment) === 'ask-provider') await requireNoEffect(tx, word);
      const facts = { actorId: principal.userId, actorKind: 'user', reason: request.reason } as const;
      const cancelled: Payment = await changeStatus(tx, payment, { status: 'cancelled' }, facts);
      await deleteTask(tx, payment.id);
      const auditEventId = await appendEvent(tx, actOf(call), paymentEvent('PAYMENT_CANCELLED', cancelled));
      return { payment: paymentToProto(cancelled), auditEventId };
    },
  });
  deps.signals.raise('payment-changed');
  deps.signals.raise('webhook-delivery');
  return response;
}

/** Only while our claim on the task stands: otherwise somebody may have sent it since the provider was asked. */
async function requireNoEffect(tx: Transaction, word: ProviderWord | undefined): Promise<void> {
  const isCertain = word !== undefined && word.outcome === undefined && (await holdTask(tx, word.task));
  if (!isCertain) throw errors.PAYMENT_NOT_CANCELLABLE({ metadata: { paymentStatus: 'processing' } });
}
