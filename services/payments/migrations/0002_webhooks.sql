-- Webhooks in (from the provider) and out (to merchants), by the Standard Webhooks scheme (B-hooks).
-- A message of the provider counts once, by its own id (F16).
create table psp_webhook_events (
  event_id text primary key check (length(event_id) between 1 and 255),
  type text not null check (length(type) <= 100),
  reference text not null check (length(reference) <= 255),
  applied boolean not null,
  note text not null check (length(note) <= 500),
  receive_time timestamptz not null default now()
);
--> statement-breakpoint
create index psp_webhook_events_age on psp_webhook_events (receive_time);
--> statement-breakpoint
create table webhook_endpoints (
  id uuid primary key,
  user_id uuid not null,
  url text not null check (length(url) <= 2048),
  event_types text[] not null,
  enabled boolean not null default true,
  -- Sealed. The one before signs beside it until its time is over.
  secret bytea not null,
  previous_secret bytea,
  previous_secret_until timestamptz,
  -- Since when every attempt has failed; off after long failure.
  failing_since timestamptz,
  create_time timestamptz not null default now(),
  constraint webhook_endpoints_overlap check ((previous_secret is null) = (previous_secret_until is null))
);
--> statement-breakpoint
create index webhook_endpoints_user on webhook_endpoints (user_id, create_time desc, id desc);
--> statement-breakpoint
create table webhook_deliveries (
  id uuid primary key,
  webhook_endpoint_id uuid not null references webhook_endpoints (id) on delete cascade,
  event_type text not null,
  -- The bytes that are signed and sent, the same at every attempt.
  body text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempt_count integer not null default 0,
  last_status_code integer not null default 0,
  last_error text not null default '' check (length(last_error) <= 200),
  next_attempt_time timestamptz,
  -- Rises with every claim, which also moves next_attempt_time to the end of the lease.
  fence bigint not null default 0,
  create_time timestamptz not null default now(),
  constraint webhook_deliveries_next check ((next_attempt_time is not null) = (state = 'pending'))
);
--> statement-breakpoint
create index webhook_deliveries_due on webhook_deliveries (next_attempt_time) where state = 'pending';
--> statement-breakpoint
create index webhook_deliveries_endpoint on webhook_deliveries (webhook_endpoint_id, create_time desc, id desc);
--> statement-breakpoint
-- In the transaction of the change, so that no event is lost between commit and queue. The message names no person but
-- by id, and holds no text of theirs: whoever wants more asks the API.
create function queue_webhook_deliveries() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  insert into public.webhook_deliveries (id, webhook_endpoint_id, event_type, body, next_attempt_time)
  select strongroom.uuidv7(), endpoint.id, event.type, jsonb_build_object(
      'type', event.type,
      'timestamp', to_char(change.change_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'data', jsonb_build_object(
        'paymentId', payment.id, 'type', payment.type, 'status', payment.status, 'version', change.version::text,
        'currencyCode', payment.currency_code, 'minorUnits', payment.minor_units::text,
        'refundedMinorUnits', payment.refunded_minor_units::text,
        'senderId', payment.sender_id, 'recipientId', payment.recipient_id))::text, now()
  from new_changes change
  join public.webhook_endpoints endpoint on endpoint.enabled
    and endpoint.user_id = any (array[change.sender_id, change.recipient_id])
  join public.payments payment on payment.id = change.payment_id
  cross join lateral (select 'payment.' || case
    when change.from_status is null then 'created'
    when change.to_status in ('refunded', 'partially_refunded') and 'refunded_amount' = any (change.changed_fields)
      then 'refunded'
    when change.to_status <> change.from_status and change.to_status in ('completed', 'failed', 'cancelled')
      then change.to_status
    else 'updated' end as type) event
  where endpoint.event_types = '{}' or event.type = any (endpoint.event_types);
  return null;
end $$;
--> statement-breakpoint
create trigger payment_changes_deliver after insert on payment_changes referencing new table as new_changes
  for each statement execute function queue_webhook_deliveries();
