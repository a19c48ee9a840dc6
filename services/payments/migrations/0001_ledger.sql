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
-- However often a webhook, a retry or the reconciler reports it: one capture a payment, which has no refund, and one
-- posting a refund.
create unique index ledger_transactions_once on ledger_transactions (payment_id, refund_id) nulls not distinct;
--> statement-breakpoint
create table ledger_entries (
  id uuid not null,
  transaction_id uuid not null references ledger_transactions (id),
  account_id uuid not null,
  currency_code text not null,
  -- Positive: credit. Negative: debit.
  minor_units bigint not null check (minor_units <> 0),
  create_time timestamptz not null default now(),
  -- An entry is looked for with its transaction: one index less than an id of its own would cost.
  primary key (transaction_id, id),
  constraint ledger_entries_account foreign key (account_id, currency_code)
    references ledger_accounts (id, currency_code)
);
--> statement-breakpoint
create index ledger_entries_account on ledger_entries (account_id, create_time desc, id desc);
--> statement-breakpoint
create index ledger_entries_created on ledger_entries (create_time desc, id desc);
--> statement-breakpoint
-- The ledger is right after every statement: a posting is one, with its entries and what it says of payment and refund. So
-- the rows of a statement are checked together, not each at commit, which cost most of a capture's time.
-- `offset 0` keeps a look by key a look by key: a plan that is made while a table is small, and kept, would read all of it.
create function refuse_imbalance(transactions uuid[]) returns void language plpgsql
set search_path = pg_catalog, public as $$
begin
  if exists (
    select 1 from unnest(transactions) as given (id) left join lateral (
      select currency_code, minor_units from public.ledger_entries where transaction_id = given.id offset 0
    ) as e on true
    group by given.id, e.currency_code having coalesce(sum(e.minor_units) <> 0, true)
  ) then
    raise exception 'A ledger transaction has entries, which sum to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
end $$;
--> statement-breakpoint
-- What payments and refunds say is what was posted: no completed payment without capture, no posting without a state,
-- nothing given back that the payment doesn't count, nothing reserved that no refund holds.
create function refuse_money_difference(payments uuid[]) returns void language plpgsql
set search_path = pg_catalog, public as $$
begin
  if exists (
    select 1 from unnest(payments) as given (id),
      lateral (select * from public.payments where id = given.id offset 0) as p,
      lateral (
        select coalesce(sum(e.minor_units) filter (where t.kind = 'capture'), 0) as captured,
          coalesce(-sum(e.minor_units) filter (where t.kind = 'refund'), 0) as given_back
        from public.ledger_transactions t join public.ledger_entries e on e.transaction_id = t.id
        where t.payment_id = p.id
          and e.account_id = public.ledger_account_id('user', p.recipient_id, p.currency_code)
      ) as posted,
      lateral (
        select coalesce(sum(r.minor_units) filter (where r.status = 'completed'), 0) as refunded,
          coalesce(sum(r.minor_units) filter (where r.status = 'processing'), 0) as reserved
        from public.refunds r where r.payment_id = p.id
      ) as returned
    where captured <> (case when p.complete_time is null then 0 else p.minor_units end)
      or given_back <> p.refunded_minor_units
      or refunded <> p.refunded_minor_units
      or reserved <> p.reserved_minor_units
  ) then
    raise exception 'Payment, refunds and ledger differ.' using errcode = 'check_violation', constraint = 'payment_money';
  end if;
end $$;
--> statement-breakpoint
create function check_new_entries() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  perform public.refuse_imbalance((select array_agg(distinct transaction_id) from new_rows));
  return null;
end $$;
--> statement-breakpoint
create trigger ledger_entries_balanced after insert on ledger_entries referencing new table as new_rows
  for each statement execute function check_new_entries();
--> statement-breakpoint
create function check_new_transactions() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  perform public.refuse_imbalance((select array_agg(id) from new_rows));
  perform public.refuse_money_difference((select array_agg(payment_id) from new_rows));
  return null;
end $$;
--> statement-breakpoint
create trigger ledger_transactions_right after insert on ledger_transactions referencing new table as new_rows
  for each statement execute function check_new_transactions();
--> statement-breakpoint
create function check_refund_money() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  perform public.refuse_money_difference((select array_agg(payment_id) from new_rows));
  return null;
end $$;
--> statement-breakpoint
create trigger refunds_money_new after insert on refunds referencing new table as new_rows
  for each statement execute function check_refund_money();
--> statement-breakpoint
create trigger refunds_money after update on refunds referencing new table as new_rows
  for each statement execute function check_refund_money();
--> statement-breakpoint
create function check_payment_money() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  changed constant uuid[] := (
    select array_agg(n.id) from new_rows n join old_rows o on o.id = n.id
    where (o.status, o.refunded_minor_units, o.reserved_minor_units)
      is distinct from (n.status, n.refunded_minor_units, n.reserved_minor_units));
begin
  perform public.refuse_money_difference(changed);
  return null;
end $$;
--> statement-breakpoint
create trigger payments_money after update on payments referencing old table as old_rows new table as new_rows
  for each statement execute function check_payment_money();
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
