import type { MessageShape } from '@bufbuild/protobuf';
import {
  type SetPaymentStatusRequest,
  SetPaymentStatusResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import type { Act, Transaction } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { runPrepared } from '../idempotency/idempotent.ts';
import { deleteTask, holdTask, insertTask } from '../psp/psp-task-store.ts';
import { settleCharge } from '../psp/settle-charge.ts';
import { decideStatus, isRule, type Payment, type PaymentStatus, requireEtag } from './payment.ts';
import { paymentEvent } from './payment-event.ts';
import { paymentToProto, protoToPaymentStatus } from './payment-proto.ts';
import { type ChangeFacts, changeStatus, findPayment, lockPayment } from './payment-store.ts';
import { askForCharge, type ProviderWord } from './provider-word.ts';

const failureCode = 'set_by_administrator';
const retryAfterMs = 2_000;

/**
 * An administrator moves a payment along the graph. Once the provider has it, its word decides: a wish that differs from
 * it is refused, and while it doesn't know yet, nobody does.
 */
export async function setPaymentStatus(
  deps: Deps,
  request: SetPaymentStatusRequest,
  call: Call,
): Promise<MessageShape<typeof SetPaymentStatusResponseSchema>> {
  const principal = requirePrincipal(call);
  const wanted = protoToPaymentStatus(request.status);
  if (wanted === undefined) throw errors.ILLEGAL_TRANSITION();
  const facts: ChangeFacts = { actorId: principal.userId, actorKind: 'user', reason: request.reason };
  const response = await runPrepared(deps, SetPaymentStatusResponseSchema, request, call, {
    async prepare() {
      const seen = await findPayment(deps.database, request.id);
      if (seen?.status !== 'processing') return undefined;
      // Refuses what can't become of it, before the provider is asked.
      decideStatus(seen, wanted);
      return askForCharge(deps, seen);
    },
    async write(tx, word) {
      const payment = await lockPayment(tx, request.id);
      if (payment === undefined) throw errors.PAYMENT_NOT_FOUND();
      requireEtag(payment, request.etag);
      await applyStatus(tx, actOf(call), { payment, wanted, word, facts });
      const after = await lockPayment(tx, payment.id);
      return { payment: paymentToProto(after ?? payment) };
    },
  });
  deps.signals.raise('psp-task');
  deps.signals.raise('payment-changed');
  deps.signals.raise('webhook-delivery');
  return response;
}

interface StatusWish {
  readonly payment: Payment;
  readonly wanted: PaymentStatus;
  readonly word: ProviderWord | undefined;
  readonly facts: ChangeFacts;
}

async function applyStatus(tx: Transaction, act: Act, wish: StatusWish): Promise<void> {
  const { payment, wanted, facts } = wish;
  switch (decideStatus(payment, wanted)) {
    case 'submit':
      // A rule is never sent; the payments that it makes are.
      if (isRule(payment)) throw errors.ILLEGAL_TRANSITION();
      await changeStatus(tx, payment, { status: 'processing' }, facts);
      await insertTask(tx, { id: payment.id, kind: 'charge', paymentId: payment.id });
      await appendEvent(tx, act, paymentEvent('PAYMENT_UPDATED', { ...payment, status: 'processing' }));
      return;
    case 'end-unsent':
      await endPayment(tx, act, wish);
      return;
    case 'ask-provider':
      await followProvider(tx, act, wish);
  }
}

async function endPayment(tx: Transaction, act: Act, { payment, wanted, facts }: StatusWish): Promise<void> {
  const isFailure = wanted === 'failed';
  const failure = isFailure ? { failureCode, failureReason: facts.reason || 'Set by an administrator.' } : {};
  const ended = await changeStatus(tx, payment, { status: wanted, ...failure }, facts);
  await deleteTask(tx, payment.id);
  await appendEvent(tx, act, paymentEvent(isFailure ? 'PAYMENT_FAILED' : 'PAYMENT_CANCELLED', ended));
}

async function followProvider(tx: Transaction, act: Act, wish: StatusWish): Promise<void> {
  const { payment, wanted, word, facts } = wish;
  // Somebody has taken the task since we asked, and may have sent it.
  if (word === undefined || !(await holdTask(tx, word.task))) throw errors.OUTCOME_UNKNOWN({ retryAfterMs });
  const { outcome } = word;
  if (outcome === undefined) {
    if (wanted === 'completed') throw errors.OUTCOME_DIFFERS();
    await endPayment(tx, act, wish);
    return;
  }
  if (outcome.kind !== 'completed' && outcome.kind !== 'failed') throw errors.OUTCOME_UNKNOWN({ retryAfterMs });
  if (outcome.kind !== wanted) throw errors.OUTCOME_DIFFERS();
  await settleCharge(tx, act, payment, outcome, facts);
}
