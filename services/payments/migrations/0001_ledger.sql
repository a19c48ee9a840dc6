-- The double-entry ledger (B-ledger). Entries are only ever added; each transaction sums to zero for each currency; what
-- a payment says about its money is what the ledger says.
-- An account's id is a UUIDv8 (RFC 9562) of whose it is and its currency. Whoever posts knows it without looking, so a
-- posting is one statement, also the first of an account that others make at the same time.
create function ledger_account_id(name text, user_id uuid, currency_code text) returns uuid
language sql immutable parallel safe
return overlay(
  overlay(
    encode(substring(sha256((name || '/' || currency_code || '/' || coalesce(user_id::text, ''))::bytea) for 16), 'hex')
    placing '8' from 13 for 1
  )
  placing '8' from 17 for 1
)::uuid;
--> statement-breakpoint
create table ledger_accounts (
  id uuid generated always as (ledger_account_id(name, user_id, currency_code)) stored primary key,
  name text not null check (name in ('user', 'psp_clearing')),
  user_id uuid,
  currency_code text not null check (currency_code ~ '^[A-Z]{3}$'),
  create_time timestamptz not null default now(),
  constraint ledger_accounts_owner check ((name = 'user') = (user_id is not null)),
  constraint ledger_accounts_currency unique (id, currency_code)
);
--> statement-breakpoint
create unique index ledger_accounts_once on ledger_accounts (name, user_id, currency_code) where user_id is not null;
--> statement-breakpoint
create unique index ledger_accounts_system_once on ledger_accounts (name, currency_code) where user_id is null;
--> statement-breakpoint
create table refunds (
  id uuid primary key,
  payment_id uuid not null references payments (id),
  minor_units bigint not null check (minor_units > 0),
  status text not null check (status in ('processing', 'completed', 'failed')),
  reason text not null check (length(reason) <= 500),
  actor_id uuid not null,
  psp_transaction_id text check (length(psp_transaction_id) <= 255),
  failure_code text check (length(failure_code) <= 100),
  create_time timestamptz not null,
  complete_time timestamptz,
  constraint refunds_complete_time check ((complete_time is not null) = (status = 'completed')),
  constraint refunds_failure check ((failure_code is not null) = (status = 'failed'))
);
--> statement-breakpoint
create index refunds_payment on refunds (payment_id, create_time, id);
--> statement-breakpoint
create function check_refund_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'processing' then
      raise exception 'A refund begins processing.' using errcode = 'check_violation';
    end if;
  elsif old.status <> 'processing' and new.status <> old.status then
    raise exception 'A refund that is % stays so.', old.status using errcode = 'check_violation';
  elsif (new.id, new.payment_id, new.minor_units, new.actor_id) is distinct from
    (old.id, old.payment_id, old.minor_units, old.actor_id) then
    raise exception 'Identity and amount of a refund never change.' using errcode = 'check_violation';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger refunds_check before insert or update on refunds for each row execute function check_refund_change();
--> statement-breakpoint
create table ledger_transactions (
  id uuid primary key,
  payment_id uuid not null references payments (id),
  refund_id uuid references refunds (id),
  kind text not null check (kind in ('capture', 'refund')),
  create_time timestamptz not null default now(),
  constraint ledger_transactions_kind check ((kind = 'refund') = (refund_id is not null))
);
--> statement-breakpoint
-- However often a webhook, a retry or the reconciler reports it: one capture a payment, one posting a refund.
create unique index ledger_transactions_capture_once on ledger_transactions (payment_id) where kind = 'capture';
--> statement-breakpoint
create unique index ledger_transactions_refund_once on ledger_transactions (refund_id) where kind = 'refund';
--> statement-breakpoint
create index ledger_transactions_payment on ledger_transactions (payment_id);
--> statement-breakpoint
create table ledger_entries (
  id uuid primary key,
  transaction_id uuid not null references ledger_transactions (id),
  account_id uuid not null,
  currency_code text not null,
  -- Positive: credit. Negative: debit.
  minor_units bigint not null check (minor_units <> 0),
  create_time timestamptz not null default now(),
  constraint ledger_entries_account foreign key (account_id, currency_code)
    references ledger_accounts (id, currency_code)
);
--> statement-breakpoint
create index ledger_entries_transaction on ledger_entries (transaction_id);
--> statement-breakpoint
create index ledger_entries_account on ledger_entries (account_id, create_time desc, id desc);
--> statement-breakpoint
create index ledger_entries_created on ledger_entries (create_time desc, id desc);
--> statement-breakpoint
create function check_ledger_balance() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  transaction uuid := case tg_table_name when 'ledger_entries' then (to_jsonb(new) ->> 'transaction_id')::uuid else new.id end;
begin
  if (select count(*) from public.ledger_entries where transaction_id = transaction) < 2 then
    raise exception 'A ledger transaction has two entries at least.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  if exists (select 1 from public.ledger_entries where transaction_id = transaction
    group by currency_code having sum(minor_units) <> 0) then
    raise exception 'A ledger transaction sums to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  return null;
end $$;
--> statement-breakpoint
create constraint trigger ledger_entries_balanced after insert on ledger_entries
  deferrable initially deferred for each row execute function check_ledger_balance();
--> statement-breakpoint
create constraint trigger ledger_transactions_balanced after insert on ledger_transactions
  deferrable initially deferred for each row execute function check_ledger_balance();
--> statement-breakpoint
-- At commit, what payments and refunds say is what was posted: no completed payment without capture, no posting without
-- a state, nothing given back that the payment doesn't count, nothing reserved that no refund holds.
create function check_payment_money() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  payment public.payments;
  captured bigint;
  given_back bigint;
  refunded bigint;
  reserved bigint;
begin
  select * into payment from public.payments
    where id = case tg_table_name when 'payments' then new.id else (to_jsonb(new) ->> 'payment_id')::uuid end;
  select coalesce(sum(e.minor_units) filter (where t.kind = 'capture'), 0),
      coalesce(-sum(e.minor_units) filter (where t.kind = 'refund'), 0)
    into captured, given_back
    from public.ledger_transactions t
    join public.ledger_entries e on e.transaction_id = t.id
    join public.ledger_accounts a on a.id = e.account_id
    where t.payment_id = payment.id and a.name = 'user' and a.user_id = payment.recipient_id
      and e.currency_code = payment.currency_code;
  select coalesce(sum(minor_units) filter (where status = 'completed'), 0),
      coalesce(sum(minor_units) filter (where status = 'processing'), 0)
    into refunded, reserved from public.refunds where payment_id = payment.id;
  if captured <> (case when payment.complete_time is null then 0 else payment.minor_units end)
    or given_back <> payment.refunded_minor_units
    or refunded <> payment.refunded_minor_units
    or reserved <> payment.reserved_minor_units
  then
    raise exception 'Payment, refunds and ledger differ.' using errcode = 'check_violation', constraint = 'payment_money';
  end if;
  return null;
end $$;
--> statement-breakpoint
create constraint trigger payments_money after update on payments deferrable initially deferred for each row
  when (old.status is distinct from new.status or old.refunded_minor_units is distinct from new.refunded_minor_units
    or old.reserved_minor_units is distinct from new.reserved_minor_units)
  execute function check_payment_money();
--> statement-breakpoint
create constraint trigger refunds_money after insert or update on refunds
  deferrable initially deferred for each row execute function check_payment_money();
--> statement-breakpoint
create constraint trigger ledger_transactions_money after insert on ledger_transactions
  deferrable initially deferred for each row execute function check_payment_money();
--> statement-breakpoint
create trigger ledger_entries_keep before update or delete on ledger_entries
  for each row execute function refuse_change();
--> statement-breakpoint
create trigger ledger_entries_keep_all before truncate on ledger_entries
  for each statement execute function refuse_change();
--> statement-breakpoint
create trigger ledger_transactions_keep before update or delete on ledger_transactions
  for each row execute function refuse_change();
--> statement-breakpoint
create trigger ledger_transactions_keep_all before truncate on ledger_transactions
  for each statement execute function refuse_change();
--> statement-breakpoint
create trigger ledger_accounts_keep before update or delete on ledger_accounts
  for each row execute function refuse_change();
--> statement-breakpoint
create trigger refunds_keep before delete on refunds for each row execute function refuse_change();
--> statement-breakpoint
revoke update, delete, truncate on ledger_entries, ledger_transactions, ledger_accounts from payments_app;
--> statement-breakpoint
revoke delete, truncate on refunds from payments_app;
