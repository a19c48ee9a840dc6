-- Payments, their history, and what their life needs. What the rules in payment.ts decide is held here a second time, so
-- that neither a bug nor a hand at psql can break it (faults 22 to 26 of the older system).
create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception '% of % is refused: it is append-only.', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;
--> statement-breakpoint
-- The graph of contract.md. A status to itself is a change of other fields. Nothing leads out of failed, cancelled and
-- refunded, and nothing back: a late webhook can't reopen a payment, whoever writes.
create table payment_transitions (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
--> statement-breakpoint
insert into payment_transitions (from_status, to_status) values
  ('pending', 'pending'), ('pending', 'processing'), ('pending', 'failed'), ('pending', 'cancelled'),
  ('processing', 'processing'), ('processing', 'completed'), ('processing', 'failed'), ('processing', 'cancelled'),
  ('completed', 'completed'), ('completed', 'partially_refunded'), ('completed', 'refunded'),
  ('partially_refunded', 'partially_refunded'), ('partially_refunded', 'refunded'),
  ('failed', 'failed'), ('cancelled', 'cancelled'), ('refunded', 'refunded');
--> statement-breakpoint
create table payment_methods (
  id uuid primary key,
  user_id uuid not null,
  kind text not null check (kind in ('card', 'bank_account')),
  brand text not null,
  last4 text not null check (last4 ~ '^[0-9A-Z]{4}$'),
  exp_month integer check (exp_month between 1 and 12),
  exp_year integer check (exp_year between 2000 and 2100),
  -- Sealed (S4.3), and gone once the method is removed.
  number bytea,
  number_index bytea,
  holder_name bytea,
  psp_token bytea,
  create_time timestamptz not null default now(),
  remove_time timestamptz,
  constraint payment_methods_removed check (
    (remove_time is null) = (number is not null)
    and (remove_time is null or (number_index is null and holder_name is null and psp_token is null))
  )
);
--> statement-breakpoint
create unique index payment_methods_number on payment_methods (user_id, number_index) where remove_time is null;
--> statement-breakpoint
create index payment_methods_user on payment_methods (user_id, create_time desc, id desc) where remove_time is null;
--> statement-breakpoint
create table payments (
  id uuid primary key,
  type text not null check (type in ('instant', 'scheduled', 'recurring')),
  status text not null check (
    status in ('pending', 'processing', 'completed', 'failed', 'cancelled', 'partially_refunded', 'refunded')
  ),
  currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
  minor_units bigint not null check (minor_units between 1 and 10000000000),
  refunded_minor_units bigint not null default 0 check (refunded_minor_units >= 0),
  -- Held by refunds that are with the provider, so that two at once can't give back more than was captured.
  reserved_minor_units bigint not null default 0 check (reserved_minor_units >= 0),
  sender_id uuid not null,
  recipient_id uuid not null,
  description text not null check (length(description) <= 500),
  metadata jsonb not null default '{}',
  payment_method_id uuid references payment_methods (id),
  scheduled_time timestamptz,
  recurrence text,
  time_zone text,
  -- When the scheduler must act next; null when it has nothing to do.
  next_run_time timestamptz,
  parent_payment_id uuid references payments (id),
  occurrence_time timestamptz,
  psp_transaction_id text check (length(psp_transaction_id) <= 255),
  failure_code text check (length(failure_code) <= 100),
  failure_reason text check (length(failure_reason) <= 1000),
  create_time timestamptz not null,
  update_time timestamptz not null,
  complete_time timestamptz,
  version bigint not null default 1,
  -- Who made the last change, in what capacity, and why; the trigger copies them into payment_changes.
  change_actor_id uuid,
  change_actor_kind text not null check (change_actor_kind in ('user', 'psp', 'scheduler', 'reconciler')),
  change_reason text not null default '' check (length(change_reason) <= 1000),
  constraint payments_two_parties check (sender_id <> recipient_id),
  constraint payments_refund_within_capture check (refunded_minor_units + reserved_minor_units <= minor_units),
  constraint payments_complete_time check (
    (complete_time is not null) = (status in ('completed', 'partially_refunded', 'refunded'))
  ),
  constraint payments_failure check ((failure_code is not null) = (status = 'failed')),
  constraint payments_refunded check (
    case status
      when 'refunded' then refunded_minor_units = minor_units
      when 'partially_refunded' then refunded_minor_units > 0 and refunded_minor_units < minor_units
      else refunded_minor_units = 0
    end
  ),
  constraint payments_schedule check (
    case type
      when 'instant' then scheduled_time is null and recurrence is null
      when 'scheduled' then scheduled_time is not null and recurrence is null
      else scheduled_time is not null and (recurrence is not null) = (parent_payment_id is null)
    end
  ),
  constraint payments_occurrence check ((parent_payment_id is null) = (occurrence_time is null))
)
-- Room for the versions that follow soon: they find place in the same page, and then no index needs a new entry.
with (fillfactor = 70);
--> statement-breakpoint
-- Each occurrence of a rule is one payment, however often the scheduler starts over.
create unique index payments_occurrence_once on payments (parent_payment_id, occurrence_time)
  where parent_payment_id is not null;
--> statement-breakpoint
create index payments_sender on payments (sender_id, create_time desc, id desc);
--> statement-breakpoint
create index payments_recipient on payments (recipient_id, create_time desc, id desc);
--> statement-breakpoint
create index payments_created on payments (create_time desc, id desc);
--> statement-breakpoint
create index payments_due on payments (next_run_time) where next_run_time is not null;
--> statement-breakpoint
create table payment_changes (
  -- Without a foreign key: rows come from the triggers of payments alone, and payments are never deleted.
  payment_id uuid not null,
  version bigint not null check (version >= 1),
  from_status text,
  to_status text not null,
  actor_id uuid,
  actor_kind text not null,
  reason text not null,
  changed_fields text[] not null,
  -- Not the transaction's time: one that began earlier may have waited for the payment.
  change_time timestamptz not null default clock_timestamp(),
  sender_id uuid not null,
  recipient_id uuid not null,
  -- Position in the stream of changes. Ids alone don't do: a transaction with a smaller id may commit later, so readers
  -- go by transaction, and only up to the oldest that still runs.
  transaction_id xid8 not null default pg_current_xact_id(),
  sequence bigint generated always as identity,
  primary key (payment_id, version),
  constraint payment_changes_transition foreign key (from_status, to_status)
    references payment_transitions (from_status, to_status)
);
--> statement-breakpoint
create index payment_changes_sender on payment_changes (sender_id, transaction_id, sequence);
--> statement-breakpoint
create index payment_changes_recipient on payment_changes (recipient_id, transaction_id, sequence);
--> statement-breakpoint
-- By name. One expression, parsed here: PostgreSQL puts it in its callers' place, which a call a row would cost much more.
create function payment_changed_fields(before payments, after payments) returns text[] language sql immutable parallel safe
return array_remove(
  array[
    case when before.minor_units is distinct from after.minor_units then 'amount' end,
    case when before.complete_time is distinct from after.complete_time then 'complete_time' end,
    case when before.description is distinct from after.description then 'description' end,
    case when before.failure_code is distinct from after.failure_code then 'failure_code' end,
    case when before.failure_reason is distinct from after.failure_reason then 'failure_reason' end,
    case when before.metadata is distinct from after.metadata then 'metadata' end,
    case when before.payment_method_id is distinct from after.payment_method_id then 'payment_method_id' end,
    case when before.psp_transaction_id is distinct from after.psp_transaction_id then 'psp_transaction_id' end,
    case when before.recipient_id is distinct from after.recipient_id then 'recipient_id' end,
    case when before.recurrence is distinct from after.recurrence then 'recurrence' end,
    case when before.refunded_minor_units is distinct from after.refunded_minor_units then 'refunded_amount' end,
    case when before.scheduled_time is distinct from after.scheduled_time then 'scheduled_at' end,
    case when before.status is distinct from after.status then 'status' end,
    case when before.time_zone is distinct from after.time_zone then 'time_zone' end
  ],
  null
);
--> statement-breakpoint
create function check_payment_change() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'pending' or new.version <> 1 then
      raise exception 'A payment begins pending, at version 1.' using errcode = 'check_violation';
    end if;
    return new;
  end if;
  if (new.id, new.type, new.currency_code, new.sender_id, new.parent_payment_id, new.occurrence_time, new.create_time)
    is distinct from
    (old.id, old.type, old.currency_code, old.sender_id, old.parent_payment_id, old.occurrence_time, old.create_time)
  then
    raise exception 'Identity, type, currency and sender of a payment never change.' using errcode = 'check_violation';
  end if;
  if old.complete_time is not null and new.complete_time is distinct from old.complete_time then
    raise exception 'The time of completion never changes.' using errcode = 'check_violation';
  end if;
  if payment_changed_fields(old, new) = '{}' then
    if new.version <> old.version then
      raise exception 'A version without a change.' using errcode = 'check_violation';
    end if;
    return new;
  end if;
  if new.version <> old.version + 1 then
    raise exception 'A change without the next version.' using errcode = 'check_violation';
  end if;
  if old.status <> 'pending' and (new.minor_units, new.recipient_id, new.scheduled_time, new.recurrence)
    is distinct from (old.minor_units, old.recipient_id, old.scheduled_time, old.recurrence)
  then
    raise exception 'Only a pending payment can be edited.' using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger payments_check before insert or update on payments
  for each row execute function check_payment_change();
--> statement-breakpoint
-- Runs as the owner, so that history comes from changes alone: the runtime role can't write it.
-- Once a statement: payments are written many at a time.
create function record_payment_changes() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  insert into public.payment_changes
    (payment_id, version, from_status, to_status, actor_id, actor_kind, reason, changed_fields, sender_id, recipient_id)
  select n.id, n.version, o.status, n.status, n.change_actor_id, n.change_actor_kind, n.change_reason,
    public.payment_changed_fields(row (o.*)::public.payments, row (n.*)::public.payments), n.sender_id, n.recipient_id
  from new_rows n join old_rows o on o.id = n.id
  where n.version <> o.version;
  return null;
end $$;
--> statement-breakpoint
create trigger payments_record after update on payments referencing old table as old_rows new table as new_rows
  for each statement execute function record_payment_changes();
--> statement-breakpoint
create function record_new_payments() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  insert into public.payment_changes
    (payment_id, version, to_status, actor_id, actor_kind, reason, changed_fields, sender_id, recipient_id)
  select id, version, status, change_actor_id, change_actor_kind, change_reason, '{}', sender_id, recipient_id
  from new_payments;
  return null;
end $$;
--> statement-breakpoint
create trigger payments_record_new after insert on payments referencing new table as new_payments
  for each statement execute function record_new_payments();
--> statement-breakpoint
create trigger payments_keep before delete on payments for each row execute function refuse_change();
--> statement-breakpoint
create trigger payments_keep_all before truncate on payments for each statement execute function refuse_change();
--> statement-breakpoint
create trigger payment_changes_keep before update or delete on payment_changes
  for each row execute function refuse_change();
--> statement-breakpoint
create trigger payment_changes_keep_all before truncate on payment_changes
  for each statement execute function refuse_change();
--> statement-breakpoint
-- Made with the payment or refund. Its id is that one's, which is our reference and the idempotency key at the provider.
create table psp_tasks (
  id uuid primary key,
  kind text not null check (kind in ('charge', 'refund')),
  -- Without a foreign key, like the history: a task is made together with its payment or refund, which are never deleted.
  payment_id uuid not null,
  -- Rises with every claim: who was taken over from can't write its result any more (F34).
  fence bigint not null default 0,
  attempt_count integer not null default 0,
  -- A claim moves it to the end of the lease, so that a crashed owner's task is due again by itself.
  next_attempt_time timestamptz not null default now(),
  create_time timestamptz not null default now()
);
--> statement-breakpoint
create index psp_tasks_due on psp_tasks (next_attempt_time);
--> statement-breakpoint
create table idempotency_keys (
  user_id uuid not null,
  method text not null,
  key_hash bytea not null check (octet_length(key_hash) = 32),
  -- Sealed like the response, so that a rotation of the master key takes both along.
  request_hash bytea not null,
  fence bigint not null default 1,
  -- Set while a first attempt talks to the provider; null once there is a response.
  lease_until timestamptz,
  response bytea,
  create_time timestamptz not null default now(),
  expire_time timestamptz not null,
  primary key (user_id, method, key_hash),
  constraint idempotency_keys_state check ((lease_until is null) = (response is not null)),
  -- Stripe's and the draft's floor: a key counts for a day at least.
  constraint idempotency_keys_lifetime check (expire_time >= create_time + interval '24 hours')
);
--> statement-breakpoint
create index idempotency_keys_expiry on idempotency_keys (expire_time);
--> statement-breakpoint
revoke insert, update, delete, truncate on payment_transitions from payments_app;
--> statement-breakpoint
revoke insert, update, delete, truncate on payment_changes from payments_app;
--> statement-breakpoint
revoke delete, truncate on payments from payments_app;
