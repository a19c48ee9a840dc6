import type { CreatePaymentRequest } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { protoToTimestamp } from '@strongroom/platform/database';
import { errors } from '../errors.ts';
import { requireAmount } from '../money/money.ts';
import { nextOccurrence, requireRecurrence, requireTimeZone } from '../schedule/recurrence.ts';
import type { PaymentType } from './payment.ts';
import { protoToPaymentType } from './payment-proto.ts';
import type { NewPayment } from './payment-store.ts';

/** What a draft hangs on beside the request. */
export interface DraftFacts {
  readonly senderId: string;
  readonly recipientId: string;
  /**
   * The service's clock, for create_time and the id's first bits alone: the answer says both, and is sealed with its key
   * in the statement that writes the payment. What hangs on time (lifetimes, leases, the order of changes) is the database's.
   */
  readonly nowMs: number;
  readonly recurrenceIntervalMinS: number;
}

const scheduleLateMaxMs = 86_400_000;
const scheduleAheadMaxMs = 10 * 366 * 86_400_000;
const timeZoneDefault = 'UTC';

/** The decision of CreatePayment, pure: the payment that the request asks for, or why there is none. */
export function draftPayment(request: CreatePaymentRequest, facts: DraftFacts): NewPayment {
  const { senderId, recipientId, nowMs } = facts;
  const type = protoToPaymentType(request.type);
  if (type === undefined) throw misfit('type');
  const { currencyCode, minorUnits } = requireAmount(request.amount);
  requireOther(senderId, recipientId, request);
  return {
    id: uuidv7(nowMs),
    type,
    currencyCode,
    minorUnits,
    senderId,
    recipientId,
    description: request.description,
    metadata: request.metadata,
    paymentMethodId: request.paymentMethodId ?? null,
    ...draftSchedule(type, request, facts),
    parentPaymentId: null,
    occurrenceTime: null,
    createTime: new Date(nowMs).toISOString(),
  };
}

/** Nobody pays himself, by whichever name he says it. */
export function requireOther(
  senderId: string,
  recipientId: string,
  { recipientEmail }: Pick<CreatePaymentRequest, 'recipientEmail'>,
): void {
  if (senderId !== recipientId) return;
  const field = recipientEmail === undefined ? 'recipient_id' : 'recipient_email';
  throw errors.SELF_PAYMENT({ violations: [{ field, rule: 'recipient.other', message: 'is the sender' }] });
}

type Schedule = Pick<NewPayment, 'scheduledTime' | 'recurrence' | 'timeZone' | 'nextRunTime'>;

function draftSchedule(type: PaymentType, request: CreatePaymentRequest, facts: DraftFacts): Schedule {
  const { scheduledAt, recurrence, timeZone } = request;
  if (type === 'instant') {
    refuseFields({ scheduled_at: scheduledAt, recurrence, time_zone: timeZone });
    return { scheduledTime: null, recurrence: null, timeZone: null, nextRunTime: null };
  }
  if (scheduledAt === undefined) throw misfit('scheduled_at');
  const scheduledTime = requireDueTime(protoToTimestamp(scheduledAt), facts.nowMs);
  if (type === 'scheduled') {
    refuseFields({ recurrence });
    if (timeZone !== undefined) requireTimeZone(timeZone);
    return { scheduledTime, recurrence: null, timeZone: timeZone ?? null, nextRunTime: scheduledTime };
  }
  if (recurrence === undefined) throw misfit('recurrence');
  const rule = { rule: recurrence, timeZone: timeZone ?? timeZoneDefault, startTime: scheduledTime };
  requireRecurrence(rule, facts.recurrenceIntervalMinS);
  const nextRunTime = nextOccurrence(rule, undefined) ?? null;
  return { scheduledTime, recurrence, timeZone: rule.timeZone, nextRunTime };
}

/**
 * A time that has just passed, on another clock or on a slow way, is due at once; one before yesterday or beyond ten years is
 * a slip of the pen, and a rule that began long ago would pay for all the times that it missed.
 */
export function requireDueTime(time: string, nowMs: number): string {
  const timeMs = Date.parse(time);
  const isNear = timeMs >= nowMs - scheduleLateMaxMs && timeMs <= nowMs + scheduleAheadMaxMs;
  if (!isNear) throw misfit('scheduled_at');
  return time;
}

function refuseFields(fields: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) throw misfit(field);
}

function misfit(field: string) {
  return errors.SCHEDULE_INVALID({
    violations: [{ field, rule: 'schedule', message: 'does not fit the type of the payment' }],
  });
}
