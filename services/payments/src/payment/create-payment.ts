import { create, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  type CreatePaymentRequest,
  CreatePaymentResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { eventRow } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { KeyUse } from '../idempotency/idempotency-store.ts';
import {
  keyUseOf,
  replay,
  replayIfKnown,
  replayOrConflict,
  runAlone,
  sealResponse,
} from '../idempotency/idempotent.ts';
import { isOwnPaymentMethod } from '../payment-method/payment-method-store.ts';
import { resolveRecipient } from '../recipient/recipient.ts';
import { draftPayment } from './draft-payment.ts';
import { paymentEvent } from './payment-event.ts';
import { paymentToProto } from './payment-proto.ts';
import { type NewPayment, newPaymentToPayment } from './payment-store.ts';
import { requireStepUp } from './require-step-up.ts';

type Response = MessageShape<typeof CreatePaymentResponseSchema>;

/**
 * Guards → decision → one statement with key, payment, task for the provider and event → reply. The provider is asked
 * after the commit, by psp/run-task.ts: the answer is PENDING and never waits for anyone else's machine.
 */
export async function createPayment(deps: Deps, request: CreatePaymentRequest, call: Call): Promise<Response> {
  const use = keyUseOf(deps, request, call);
  if (use === undefined) throw commonErrors.IDEMPOTENCY_KEY_REQUIRED();
  return runAlone(deps, CreatePaymentResponseSchema, use, call, () => createOnce(deps, request, call, use));
}

async function createOnce(deps: Deps, request: CreatePaymentRequest, call: Call, use: KeyUse): Promise<Response> {
  let draft: NewPayment;
  try {
    draft = await decidePayment(deps, request, call);
  } catch (error) {
    // A repetition is answered as the first time, also when its recipient is gone or auth is away by now.
    const replayed = await replayIfKnown(deps, CreatePaymentResponseSchema, use, call);
    if (replayed !== undefined) return replayed;
    throw error;
  }
  const payment = newPaymentToPayment(draft);
  const act = actOf(call);
  const event = eventRow(act, paymentEvent('PAYMENT_CREATED', payment));
  const response = create(CreatePaymentResponseSchema, {
    payment: paymentToProto(payment),
    auditEventId: event.eventId,
  });
  await failpoint('payments.create.before-commit');
  const outcome = await deps.writeNewPayment({
    act,
    use,
    draft,
    sealedResponse: sealResponse(deps, use, toBinary(CreatePaymentResponseSchema, response)),
    event,
  });
  await failpoint('payments.create.after-commit');
  if (outcome === 'busy') return replayOrConflict(deps, CreatePaymentResponseSchema, use, call);
  if (outcome === 'known') return replay(deps, CreatePaymentResponseSchema, use, call);
  deps.metrics.increment('payments_created_total', { type: draft.type, currency: draft.currencyCode });
  deps.signals.raise(draft.type === 'instant' ? 'psp-task' : 'schedule');
  deps.signals.raise('payment-changed');
  return response;
}

async function decidePayment(deps: Deps, request: CreatePaymentRequest, call: Call): Promise<NewPayment> {
  const { userId } = requirePrincipal(call);
  const facts = { senderId: userId, nowMs: deps.now(), recurrenceIntervalMinS: deps.config.RECURRENCE_INTERVAL_MIN_S };
  const recipientId = await resolveRecipient(deps, request, call);
  const draft = draftPayment(request, { ...facts, recipientId });
  requireStepUp(deps, call, draft);
  if (draft.paymentMethodId !== null && !(await isOwnPaymentMethod(deps.database, draft.paymentMethodId, userId))) {
    throw errors.PAYMENT_METHOD_NOT_FOUND();
  }
  return draft;
}
