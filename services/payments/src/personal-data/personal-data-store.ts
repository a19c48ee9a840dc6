import type { Queryable } from '@strongroom/platform/database';

/** A person's own data is bounded by what one answer may carry; who has more gets the latest. */
const rowsMax = 10_000;

/** Everything about a person, table by table, as the database has it. Nothing sealed, and of others only ids. */
export async function collectUserData(source: Queryable, userId: string): Promise<string> {
  const [row] = await source.sql<{ json: string }[]>`
    with mine as (
      select * from payments where sender_id = ${userId} or recipient_id = ${userId}
      order by create_time desc limit ${rowsMax}
    )
    select jsonb_build_object(
      'payments', coalesce((select jsonb_agg(jsonb_build_object(
        'id', id, 'type', type, 'status', status, 'currencyCode', currency_code, 'minorUnits', minor_units::text,
        'refundedMinorUnits', refunded_minor_units::text, 'senderId', sender_id, 'recipientId', recipient_id,
        'description', description, 'metadata', case when sender_id = ${userId} then metadata else '{}'::jsonb end,
        'scheduledTime', scheduled_time, 'recurrence', recurrence, 'timeZone', time_zone, 'createTime', create_time,
        'completeTime', complete_time)) from mine), '[]'),
      'refunds', coalesce((select jsonb_agg(jsonb_build_object(
        'id', r.id, 'paymentId', r.payment_id, 'minorUnits', r.minor_units::text, 'status', r.status,
        'reason', r.reason, 'createTime', r.create_time)) from refunds r join mine on mine.id = r.payment_id), '[]'),
      'paymentMethods', coalesce((select jsonb_agg(jsonb_build_object(
        'id', id, 'kind', kind, 'brand', brand, 'last4', last4, 'expMonth', exp_month, 'expYear', exp_year,
        'createTime', create_time)) from payment_methods where user_id = ${userId} and remove_time is null), '[]'),
      'ledgerEntries', coalesce((select jsonb_agg(jsonb_build_object(
        'id', e.id, 'transactionId', e.transaction_id, 'currencyCode', e.currency_code,
        'minorUnits', e.minor_units::text, 'createTime', e.create_time))
        from (select e.* from ledger_entries e join ledger_accounts a on a.id = e.account_id
          where a.user_id = ${userId} order by e.create_time desc limit ${rowsMax}) e), '[]'),
      'webhookEndpoints', coalesce((select jsonb_agg(jsonb_build_object(
        'id', id, 'url', url, 'eventTypes', event_types, 'createTime', create_time))
        from webhook_endpoints where user_id = ${userId}), '[]')
    )::text as json`;
  return row?.json ?? '{}';
}

/** Payments of the person that have not been handed to the provider. */
export async function listUnsentPayments(source: Queryable, userId: string): Promise<string[]> {
  const rows = await source.sql<{ id: string }[]>`
    select id from payments
    where status = 'pending' and (sender_id = ${userId} or recipient_id = ${userId}) order by id`;
  return rows.map(({ id }) => id);
}

const erasedText = '';

/** The sender's own words go; amounts, parties and times are bookkeeping and stay under ids. Answers who could read them. */
export async function eraseTexts(tx: Queryable, userId: string): Promise<string[]> {
  const rows = await tx.sql<{ recipientId: string }[]>`
    update payments set description = ${erasedText}, metadata = '{}', update_time = greatest(update_time, statement_timestamp()),
      version = version + 1, change_actor_id = null, change_actor_kind = 'user', change_reason = 'Personal data erased.'
    where sender_id = ${userId} and (description <> ${erasedText} or metadata <> '{}')
    returning recipient_id as "recipientId"`;
  return rows.map(({ recipientId }) => recipientId);
}

/** Sealed numbers, tokens, endpoints with their deliveries, and stored answers. */
export async function eraseHoldings(tx: Queryable, userId: string): Promise<void> {
  await tx.sql`
    update payment_methods set remove_time = now(), number = null, number_index = null, holder_name = null,
      psp_token = null
    where user_id = ${userId} and remove_time is null`;
  await tx.sql`delete from webhook_endpoints where user_id = ${userId}`;
  await tx.sql`delete from idempotency_keys where user_id = ${userId}`;
  await tx.sql`update refunds set reason = ${erasedText} where actor_id = ${userId} and reason <> ${erasedText}`;
}
