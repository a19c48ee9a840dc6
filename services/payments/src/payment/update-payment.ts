import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import {
  type UpdatePaymentRequest,
  UpdatePaymentResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { protoToTimestamp, type Transaction } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { runPrepared } from '../idempotency/idempotent.ts';
import { requireAmount, requireCurrency } from '../money/money.ts';
import { resolveRecipient } from '../recipient/recipient.ts';
import { nextOccurrence } from '../schedule/recurrence.ts';
import { requireDueTime, requireOther } from './draft-payment.ts';
import { isRule, type Payment, requireEtag, requireSender } from './payment.ts';
import { paymentEvent } from './payment-event.ts';
import { paymentToProto } from './payment-proto.ts';
import { editPayment, findPayment, lockPayment, type PaymentEdit } from './payment-store.ts';
import { requireStepUp } from './require-step-up.ts';

/** Only while it is pending (fault 23); the history says which fields changed, and the event says so to the audit log. */
export async function updatePayment(
  deps: Deps,
  request: UpdatePaymentRequest,
  call: Call,
): Promise<MessageShape<typeof UpdatePaymentResponseSchema>> {
  const principal = requirePrincipal(call);
  const response = await runPrepared(deps, UpdatePaymentResponseSchema, request, call, {
    async prepare() {
      // Before auth is asked, so that nobody learns by this way who exists.
      requireSender(principal, await findPayment(deps.database, request.id));
      return newRecipient(deps, request, call);
    },
    write: async (tx, recipientId) => {
      const payment = requireSender(principal, await lockPayment(tx, request.id));
      return applyEdit(deps, tx, { payment, request, recipientId, call });
    },
  });
  deps.signals.raise('schedule');
  deps.signals.raise('payment-changed');
  deps.signals.raise('webhook-delivery');
  return response;
}

interface Edit {
  readonly payment: Payment;
  readonly request: UpdatePaymentRequest;
  readonly recipientId: string | undefined;
  readonly call: Call;
}

async function applyEdit(
  deps: Deps,
  tx: Transaction,
  { payment, request, recipientId, call }: Edit,
): Promise<MessageInitShape<typeof UpdatePaymentResponseSchema>> {
  requireEtag(payment, request.etag);
  if (payment.status !== 'pending') throw errors.PAYMENT_NOT_PENDING({ metadata: { paymentStatus: payment.status } });
  const edit = decideEdit(payment, request, { recipientId, nowMs: deps.now() });
  const changed = changedFields(payment, edit);
  if (changed.length === 0) return { payment: paymentToProto(payment) };
  requireStepUp(deps, call, { currencyCode: payment.currencyCode, minorUnits: edit.minorUnits });
  const facts = { actorId: requirePrincipal(call).userId, actorKind: 'user', reason: '' } as const;
  const edited = await editPayment(tx, payment, edit, facts);
  const details = { changedFields: changed.join(',') };
  const auditEventId = await appendEvent(tx, actOf(call), paymentEvent('PAYMENT_UPDATED', edited, details));
  return { payment: paymentToProto(edited), auditEventId };
}

async function newRecipient(deps: Deps, request: UpdatePaymentRequest, call: Call): Promise<string | undefined> {
  if (request.recipientId === undefined && request.recipientEmail === undefined) return undefined;
  return resolveRecipient(deps, request, call);
}

interface EditFacts {
  readonly recipientId: string | undefined;
  readonly nowMs: number;
}

function decideEdit(payment: Payment, request: UpdatePaymentRequest, facts: EditFacts): PaymentEdit {
  const recipientId = facts.recipientId ?? payment.recipientId;
  requireOther(payment.senderId, recipientId, request);
  requireCurrency(request.amount, payment.currencyCode);
  const minorUnits = request.amount === undefined ? payment.minorUnits : requireAmount(request.amount).minorUnits;
  const hasMetadata = Object.keys(request.metadata).length > 0;
  return {
    minorUnits,
    recipientId,
    description: request.description ?? payment.description,
    metadata: hasMetadata ? request.metadata : payment.metadata,
    ...decideSchedule(payment, request, facts.nowMs),
  };
}

function decideSchedule(
  payment: Payment,
  { scheduledAt }: UpdatePaymentRequest,
  nowMs: number,
): Pick<PaymentEdit, 'scheduledTime' | 'nextRunTime'> {
  if (scheduledAt === undefined) return { scheduledTime: payment.scheduledTime, nextRunTime: payment.nextRunTime };
  if (payment.scheduledTime === null || payment.parentPaymentId !== null) {
    throw commonErrors.VALIDATION_FAILED({
      violations: [{ field: 'scheduled_at', rule: 'schedule', message: 'this payment is not timed' }],
    });
  }
  const scheduledTime = requireDueTime(protoToTimestamp(scheduledAt), nowMs);
  if (!isRule(payment)) return { scheduledTime, nextRunTime: scheduledTime };
  const rule = { rule: payment.recurrence ?? '', timeZone: payment.timeZone ?? '', startTime: scheduledTime };
  const nextRunTime = nextOccurrence(rule, undefined);
  if (nextRunTime === undefined) {
    const message = 'leaves no time of the rule';
    throw errors.SCHEDULE_INVALID({ violations: [{ field: 'scheduled_at', rule: 'schedule', message }] });
  }
  return { scheduledTime, nextRunTime };
}

function changedFields(payment: Payment, edit: PaymentEdit): string[] {
  const isChanged = {
    amount: edit.minorUnits !== payment.minorUnits,
    recipient_id: edit.recipientId !== payment.recipientId,
    description: edit.description !== payment.description,
    metadata: !isSameMap(edit.metadata, payment.metadata),
    scheduled_at: timeOf(edit.scheduledTime) !== timeOf(payment.scheduledTime),
  };
  return Object.entries(isChanged).flatMap(([field, changed]) => (changed ? [field] : []));
}

function isSameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The database prints a time in another form than the one it was given in. */
function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time.replace(' ', 'T').replace(/\+00$/, 'Z'));
}
