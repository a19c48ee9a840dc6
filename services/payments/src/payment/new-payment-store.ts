import { type Act, type Queryable, rowActSettings } from '@strongroom/platform/database';
import type { OutboxRow } from '@strongroom/platform/outbox';
import type { KeyUse } from '../idempotency/idempotency-store.ts';
import { bytesToText, eventToRow } from '../work/row-text.ts';
import type { NewPayment } from './payment-store.ts';

export interface NewPaymentWrite {
  readonly act: Act;
  readonly use: KeyUse;
  readonly draft: NewPayment;
  readonly sealedResponse: Buffer;
  readonly event: OutboxRow;
}

/** 'busy': another process works on the key right now. 'known': it was used before. */
export type NewPaymentOutcome = 'written' | 'busy' | 'known';

/**
 * Payments with their keys, tasks for the provider and events, in one prepared statement, whether it is one payment or
 * fifty: what a statement and a commit cost is paid once (measured.md). Whoever finds the key taken inserts nothing, as
 * every part selects from the one before it. The rows go in as one JSON text; amounts are texts in it.
 */
export async function writeNewPayments(
  { sql }: Queryable,
  writes: readonly NewPaymentWrite[],
): Promise<NewPaymentOutcome[]> {
  const acts = Object.fromEntries(writes.map(({ act, draft }) => [draft.id, act]));
  const rows = await sql<{ position: number; held: boolean; written: boolean }[]>`
    with acts as materialized (select ${rowActSettings(sql, 'payments', acts)}),
    given as materialized (
      select r.*, pg_try_advisory_xact_lock(r.lock) as held
      from acts, json_to_recordset(${JSON.stringify(writes.map(writeToRow))}::text::json) as r (
        position integer, lock bigint, user_id uuid, method text, key_hash bytea, request_hash bytea, response bytea,
        lifetime_s integer, id uuid, type text, currency_code text, minor_units bigint, recipient_id uuid,
        description text, metadata jsonb, payment_method_id uuid, scheduled_time timestamptz, recurrence text,
        time_zone text, next_run_time timestamptz, create_time timestamptz, event_id uuid, event_name text,
        event_payload bytea, traceparent text)
    ),
    claimed as (
      insert into idempotency_keys (user_id, method, key_hash, request_hash, response, expire_time)
      select user_id, method, key_hash, request_hash, response, now() + lifetime_s * interval '1 second' from given where held
      on conflict do nothing
      returning user_id, key_hash
    ),
    payment as (
      insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description, metadata,
        payment_method_id, scheduled_time, recurrence, time_zone, next_run_time, create_time, update_time,
        change_actor_id, change_actor_kind)
      select id, type, 'pending', currency_code, minor_units, user_id, recipient_id, description, metadata,
        payment_method_id, scheduled_time, recurrence, time_zone, next_run_time, create_time, create_time, user_id, 'user'
      from given join claimed using (user_id, key_hash)
      returning id, type
    ),
    task as (insert into psp_tasks (id, kind, payment_id) select id, 'charge', id from payment where type = 'instant'),
    event as (
      insert into strongroom.outbox (event_id, kind, name, payload, traceparent)
      select event_id, 'event', event_name, event_payload, traceparent from given join payment using (id)
    )
    select position, held, payment.id is not null as written from given left join payment using (id)`;
  const outcomes = new Map(rows.map(({ position, held, written }) => [position, { held, written }]));
  return writes.map((_, position) => {
    const { held, written } = outcomes.get(position) ?? { held: false, written: false };
    if (!held) return 'busy';
    return written ? 'written' : 'known';
  });
}

function writeToRow({ use, draft, sealedResponse, event }: NewPaymentWrite, position: number) {
  return {
    position,
    lock: String(use.lock),
    user_id: use.userId,
    method: use.method,
    key_hash: bytesToText(use.keyHash),
    request_hash: bytesToText(use.sealedRequestHash),
    response: bytesToText(sealedResponse),
    lifetime_s: use.lifetimeS,
    id: draft.id,
    type: draft.type,
    currency_code: draft.currencyCode,
    minor_units: String(draft.minorUnits),
    recipient_id: draft.recipientId,
    description: draft.description,
    metadata: draft.metadata,
    payment_method_id: draft.paymentMethodId,
    scheduled_time: draft.scheduledTime,
    recurrence: draft.recurrence,
    time_zone: draft.timeZone,
    next_run_time: draft.nextRunTime,
    create_time: draft.createTime,
    ...eventToRow(event),
  };
}
