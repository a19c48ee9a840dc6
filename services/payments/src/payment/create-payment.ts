import { create, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  type CreatePaymentRequest,
  CreatePaymentResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { type Act, actCte } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { eventRow, type OutboxRow, outboxInsert } from '@strongroom/platform/outbox';
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
  const response = create(CreatePaymentResponseSchema, { payment: paymentToProto(payment) });
  const act = actOf(call);
  await failpoint('payments.create.before-commit');
  const outcome = await writePayment(deps, act, {
    use,
    draft,
    sealedResponse: sealResponse(deps, use, toBinary(CreatePaymentResponseSchema, response)),
    event: eventRow(act, paymentEvent('PAYMENT_CREATED', payment)),
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
  if (draft.paymentMethodId !== null && !(await isOwnPaymentMethod(deps.database, draft.paymentMethodId, userId))) {
    throw errors.PAYMENT_METHOD_NOT_FOUND();
  }
  return draft;
}

interface PaymentWrite {
  readonly use: KeyUse;
  readonly draft: NewPayment;
  readonly sealedResponse: Buffer;
  readonly event: OutboxRow;
}

/**
 * One prepared statement, 2.4 times as fast as a transaction of several (measured.md). Whoever finds the key taken
 * inserts nothing: every part selects from the one before it.
 */
async function writePayment(deps: Deps, act: Act, write: PaymentWrite): Promise<'written' | 'busy' | 'known'> {
  const { use, draft, sealedResponse, event } = write;
  const { sql } = deps.database;
  const [row] = await sql<{ held: boolean; written: boolean }[]>`
    with ${actCte(sql, act)},
    gate as materialized (select pg_try_advisory_xact_lock(${use.lock}::bigint) as held from act),
    claimed as (
      insert into idempotency_keys (user_id, method, key_hash, request_hash, response, expire_time)
      select ${use.userId}::uuid, ${use.method}::text, ${use.keyHash}::bytea, ${use.requestHash}::bytea,
        ${sealedResponse}::bytea, ${use.expireTime}::timestamptz
      from gate where held
      on conflict do nothing
      returning 1
    ),
    payment as (
      insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description, metadata,
        payment_method_id, scheduled_time, recurrence, time_zone, next_run_time, create_time, update_time,
        change_actor_id, change_actor_kind)
      select ${draft.id}::uuid, ${draft.type}::text, 'pending', ${draft.currencyCode}::text, ${draft.minorUnits}::bigint,
        ${draft.senderId}::uuid, ${draft.recipientId}::uuid, ${draft.description}::text,
        ${JSON.stringify(draft.metadata)}::text::jsonb, ${draft.paymentMethodId}::uuid,
        ${draft.scheduledTime}::timestamptz, ${draft.recurrence}::text, ${draft.timeZone}::text,
        ${draft.nextRunTime}::timestamptz, ${draft.createTime}::timestamptz, ${draft.createTime}::timestamptz,
        ${draft.senderId}::uuid, 'user'
      from claimed
      returning id, type
    ),
    task as (insert into psp_tasks (id, kind, payment_id) select id, 'charge', id from payment where type = 'instant'),
    event as (${outboxInsert(sql, event, 'payment')})
    select held, exists (select 1 from payment) as written from gate`;
  if (row?.held !== true) return 'busy';
  return row.written ? 'written' : 'known';
}
