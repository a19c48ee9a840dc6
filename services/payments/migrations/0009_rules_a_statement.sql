-- What is checked stays the same and costs less for each row that a statement writes. New is that entries have the currency of
-- their payment.

-- The rules of a payment's change, once a statement. They are checked before payments_money and payments_record run: triggers
-- run in the order of their names.
create function check_new_payments() returns trigger language plpgsql set search_path = pg_catalog, public as $$
begin
  if exists (select 1 from new_payments where status <> 'pending' or version <> 1) then
    raise exception 'A payment begins pending, at version 1.' using errcode = 'check_violation';
  end if;
  return null;
end $$;
--> statement-breakpoint
-- A payment that has another id is on one side alone, and so differs.
create function check_payment_changes() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare
  violation constant text := (
    select change.violation
    from (
      select case
        when (n.id, n.type, n.currency_code, n.sender_id, n.parent_payment_id, n.occurrence_time, n.create_time)
          is distinct from
          (o.id, o.type, o.currency_code, o.sender_id, o.parent_payment_id, o.occurrence_time, o.create_time)
          then 'Identity, type, currency and sender of a payment never change.'
        when o.complete_time is not null and n.complete_time is distinct from o.complete_time
          then 'The time of completion never changes.'
        when n.version not in (o.version, o.version + 1) or n.version = o.version
          and public.payment_changed_fields(row (o.*)::public.payments, row (n.*)::public.payments) <> '{}'
          then 'A change without the next version.'
        when o.status <> 'pending' and (n.minor_units, n.recipient_id, n.scheduled_time, n.recurrence)
          is distinct from (o.minor_units, o.recipient_id, o.scheduled_time, o.recurrence)
          then 'Only a pending payment can be edited.'
      end as violation
      from new_rows n full join old_rows o on o.id = n.id
    ) as change
    where change.violation is not null
    limit 1);
begin
  if violation is not null then
    raise exception '%', violation using errcode = 'check_violation';
  end if;
  return null;
end $$;
--> statement-breakpoint
drop trigger payments_check on payments;
--> statement-breakpoint
drop function check_payment_change();
--> statement-breakpoint
create trigger payments_check after update on payments referencing old table as old_rows new table as new_rows
  for each statement execute function check_payment_changes();
--> statement-breakpoint
create trigger payments_check_new after insert on payments referencing new table as new_payments
  for each statement execute function check_new_payments();
--> statement-breakpoint
-- A version without a change.
alter table payment_changes
  add constraint payment_changes_fields check (from_status is null or changed_fields <> '{}');
--> statement-breakpoint
-- Without nested loops the old rows and the new meet by hash, also in a plan that was made for one row and now has thousands;
-- a look by key is one all the same.
alter function check_payment_money() set enable_nestloop = off;
--> statement-breakpoint
alter function record_payment_changes() set enable_nestloop = off;
--> statement-breakpoint
-- A bitmap is worth its making for many rows; of a payment and of a transaction there are one or two.
alter function money_differs(uuid[]) set enable_bitmapscan = off;
--> statement-breakpoint
alter function check_new_transactions() set enable_bitmapscan = off;
--> statement-breakpoint
-- Each of a transaction's entries has an account of its currency, which is the payment's, and they sum to zero. What they
-- give the recipient is what the payment, or the refund, says.
create or replace function check_new_entries() returns trigger language plpgsql set search_path = pg_catalog, public
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  has_accounts boolean;
  is_balanced boolean;
  is_due boolean;
begin
  select bool_and(posted.has_accounts), bool_and(posted.is_balanced), bool_and(posted.is_due)
    into has_accounts, is_balanced, is_due
  from (
    select bool_and(a.id is not null) as has_accounts,
      bool_and(t.id is not null and e.currency_code = coalesce(p.currency_code, e.currency_code))
        and sum(e.minor_units) = 0 as is_balanced,
      coalesce(sum(e.minor_units) filter (where a.user_id = p.recipient_id) = max(
        case t.kind
          when 'capture' then case when p.complete_time is not null then p.minor_units end
          else (select -r.minor_units from public.refunds r where r.id = t.refund_id and r.status = 'completed')
        end), false) as is_due
    from (select distinct transaction_id as id from new_rows) as n
      left join lateral (select * from public.ledger_transactions where id = n.id offset 0) as t on true
      left join lateral (
        select minor_units, currency_code, recipient_id, complete_time from public.payments where id = t.payment_id offset 0
      ) as p on true,
      lateral (
        select account_id, currency_code, minor_units from public.ledger_entries where transaction_id = n.id offset 0
      ) as e
      left join lateral (
        select id, user_id from public.ledger_accounts
        where id = e.account_id and currency_code = e.currency_code offset 0
      ) as a on true
    group by n.id
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
