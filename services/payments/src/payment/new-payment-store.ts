import { type Act, actCte, type Queryable } from '@strongroom/platform/database';
import { type OutboxRow, outboxInsert } from '@strongroom/platform/outbox';
import type { KeyUse } from '../idempotency/idempotency-store.ts';
import type { NewPayment } from './payment-store.ts';

export interface NewPaymentWrite {
  readonly use: KeyUse;
  readonly draft: NewPayment;
  readonly sealedResponse: Buffer;
  readonly event: OutboxRow;
}

/**
 * One prepared statement, 2.4 times as fast as a transaction of several (measured.md). Whoever finds the key taken
 * inserts nothing: every part selects from the one before it.
 */
export async function writeNewPayment(
  { sql }: Queryable,
  act: Act,
  write: NewPaymentWrite,
): Promise<'written' | 'busy' | 'known'> {
  const { use, draft, sealedResponse, event } = write;
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
