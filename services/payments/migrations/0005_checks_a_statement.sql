-- What a foreign key checks row by row, taking a lock on each row that it finds, is checked here once a statement. All
-- captures share the accounts of the clearing and the few rows of the graph, and queued for their locks. What is referred to
-- is never changed or deleted, by triggers that stop a superuser too, so there is nothing for the locks to hold.

-- The graph of contract.md, as a check that needs no row. Null to a status is the creation.
create function is_payment_transition(from_status text, to_status text) returns boolean language sql immutable parallel safe
return from_status || '>' || to_status in (
  'pending>pending', 'pending>processing', 'pending>failed', 'pending>cancelled',
  'processing>processing', 'processing>completed', 'processing>failed', 'processing>cancelled',
  'completed>completed', 'completed>partially_refunded', 'completed>refunded',
  'partially_refunded>partially_refunded', 'partially_refunded>refunded',
  'failed>failed', 'cancelled>cancelled', 'refunded>refunded'
);
--> statement-breakpoint
alter table payment_changes drop constraint payment_changes_transition;
--> statement-breakpoint
alter table payment_changes add constraint payment_changes_transition check (is_payment_transition(from_status, to_status));
--> statement-breakpoint
drop table payment_transitions;
--> statement-breakpoint
alter table ledger_entries
  drop constraint ledger_entries_transaction_id_fkey,
  drop constraint ledger_entries_account;
--> statement-breakpoint
alter table ledger_transactions drop constraint ledger_transactions_payment_id_fkey;
--> statement-breakpoint
create trigger ledger_accounts_keep_all before truncate on ledger_accounts
  for each statement execute function refuse_change();
--> statement-breakpoint
-- The id follows from name, owner and currency, so it is unique where they are.
alter table ledger_accounts drop constraint ledger_accounts_currency;
--> statement-breakpoint
drop index ledger_accounts_once, ledger_accounts_system_once;
--> statement-breakpoint
create index ledger_accounts_user on ledger_accounts (user_id, currency_code);
--> statement-breakpoint
-- Whether a payment is missing, or what it and its refunds say differs from what was posted: no completed payment without
-- capture, no posting without a state, nothing given back that the payment doesn't count, nothing reserved that no refund
-- holds. `offset 0` keeps a look by key a look by key: a plan that is made while a table is small, and kept, would read all
-- of it. Called by triggers, whose search_path it has.
create function money_differs(payment_ids uuid[]) returns boolean language plpgsql stable as $$
begin
  return payment_ids is not null and exists (
    select 1 from unnest(payment_ids) as given (id)
      left join lateral (select * from public.payments where id = given.id offset 0) as p on true,
      lateral (
        select coalesce(sum(e.minor_units) filter (where t.kind = 'capture'), 0) as captured,
          coalesce(-sum(e.minor_units) filter (where t.kind = 'refund'), 0) as given_back
        from (select id, kind from public.ledger_transactions where payment_id = given.id offset 0) as t,
          lateral (
            select minor_units from public.ledger_entries
            where transaction_id = t.id
              and account_id = public.ledger_account_id('user', p.recipient_id, p.currency_code) offset 0
          ) as e
      ) as posted,
      lateral (
        select coalesce(sum(r.minor_units) filter (where r.status = 'completed'), 0) as refunded,
          coalesce(sum(r.minor_units) filter (where r.status = 'processing'), 0) as reserved
        from public.refunds r where r.payment_id = given.id
      ) as returned
    where p.id is null
      or captured <> (case when p.complete_time is null then 0 else p.minor_units end)
      or given_back <> p.refunded_minor_units
      or refunded <> p.refunded_minor_units
      or reserved <> p.reserved_minor_units
  );
end $$;
--> statement-breakpoint
create function refuse_money_difference() returns void language plpgsql as $$
begin
  raise exception 'Payment, refunds and ledger differ.' using errcode = 'check_violation', constraint = 'payment_money';
end $$;
--> statement-breakpoint
create or replace function check_payment_money() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if money_differs((
    select array_agg(n.id) from new_rows n join old_rows o on o.id = n.id
    where (o.status, o.refunded_minor_units, o.reserved_minor_units)
      is distinct from (n.status, n.refunded_minor_units, n.reserved_minor_units)
  )) then
    perform refuse_money_difference();
  end if;
  return null;
end $$;
--> statement-breakpoint
create or replace function check_refund_money() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if money_differs((select array_agg(payment_id) from new_rows)) then
    perform refuse_money_difference();
  end if;
  return null;
end $$;
--> statement-breakpoint
-- That the entries sum to zero is checked when they come; here, that they have come.
create or replace function check_new_transactions() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
  if exists (
    select 1 from new_rows n
    where not exists (select 1 from public.ledger_entries where transaction_id = n.id offset 0)
  ) then
    raise exception 'A ledger transaction has entries, which sum to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  if money_differs((select array_agg(payment_id) from new_rows)) then
    perform refuse_money_difference();
  end if;
  return null;
end $$;
--> statement-breakpoint
create or replace function check_new_entries() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if exists (
    select 1 from (select distinct account_id, currency_code from new_rows) n
    where not exists (
      select 1 from public.ledger_accounts where id = n.account_id and currency_code = n.currency_code offset 0)
  ) then
    raise exception 'An entry belongs to an account of its currency.'
      using errcode = 'foreign_key_violation', constraint = 'ledger_entries_account';
  end if;
  if exists (
    select 1 from (select distinct transaction_id as id from new_rows) n
    where not exists (select 1 from public.ledger_transactions where id = n.id offset 0)
      or exists (
        select 1 from (
          select currency_code, minor_units from public.ledger_entries where transaction_id = n.id offset 0
        ) as e group by currency_code having sum(minor_units) <> 0)
  ) then
    raise exception 'A ledger transaction has entries, which sum to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  return null;
end $$;
--> statement-breakpoint
drop function refuse_money_difference(uuid[]);
--> statement-breakpoint
drop function refuse_imbalance(uuid[]);
