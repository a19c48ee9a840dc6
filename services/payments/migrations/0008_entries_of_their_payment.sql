-- That its entries say what they must is checked when they come; here, that they have come.
create or replace function check_new_transactions() returns trigger language plpgsql
set search_path = pg_catalog, public set enable_seqscan = off as $$
begin
  if exists (
    select 1 from new_rows n
    where not exists (select 1 from public.ledger_entries where transaction_id = n.id offset 0)
  ) then
    raise exception 'A ledger transaction has entries, which sum to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  return null;
end $$;
--> statement-breakpoint
-- A capture gives the recipient the payment's amount, once the payment is complete, and a refund takes its own back, once it
-- is: also entries that come later to a transaction. That the payment counts its refunds is checked where those change.
create or replace function check_new_entries() returns trigger language plpgsql
set search_path = pg_catalog, public set enable_seqscan = off as $$
declare
  has_accounts boolean;
  is_balanced boolean;
  is_due boolean;
begin
  select
    (
      select bool_and(exists (
        select 1 from public.ledger_accounts where id = n.account_id and currency_code = n.currency_code offset 0))
      from (select distinct account_id, currency_code from new_rows) as n
    ),
    bool_and(t.id is not null and coalesce(posted.is_balanced, false)),
    bool_and(coalesce(posted.minor_units = case t.kind
      when 'capture' then case when p.complete_time is not null then p.minor_units end
      else (select -r.minor_units from public.refunds r where r.id = t.refund_id and r.status = 'completed')
    end, false))
    into has_accounts, is_balanced, is_due
  from (select distinct transaction_id as id from new_rows) n
    left join lateral (select * from public.ledger_transactions where id = n.id offset 0) as t on true
    left join lateral (
      select minor_units, complete_time, public.ledger_account_id('user', recipient_id, currency_code) as account_id
      from public.payments where id = t.payment_id offset 0
    ) as p on true,
    lateral (
      select bool_and(total = 0) as is_balanced, sum(own) as minor_units from (
        select sum(e.minor_units) as total, sum(e.minor_units) filter (where e.account_id = p.account_id) as own
        from (select * from public.ledger_entries where transaction_id = n.id offset 0) as e group by e.currency_code
      ) as currency
    ) as posted;
  if has_accounts is false then
    raise exception 'An entry belongs to an account of its currency.'
      using errcode = 'foreign_key_violation', constraint = 'ledger_entries_account';
  end if;
  if is_balanced is false then
    raise exception 'A ledger transaction has entries, which sum to zero for each currency.'
      using errcode = 'check_violation', constraint = 'ledger_balanced';
  end if;
  if is_due is false then
    perform refuse_money_difference();
  end if;
  return null;
end $$;
--> statement-breakpoint
-- Made anew by what makes them now.
select strongroom.compile_write_audit('public.payments', 'payment', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.refunds', 'payment', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_accounts', 'database_row', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_transactions', 'database_row', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_entries', 'database_row', 'id');
