-- S4.4: every write to these tables is recorded in its transaction, also one by psql. Printed by writeAudit of
-- @strongroom/platform/database. The history writes itself by trigger and refuses everyone else; queues and keys hold
-- nothing that a row of these tables doesn't say.
create or replace trigger write_audit_insert after insert on "public"."payments" referencing new table as new_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."payments" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."payments" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."payments" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."payments" referencing old table as old_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."payments" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."payments"  for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."payments" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."refunds" referencing new table as new_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."refunds" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."refunds" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."refunds" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."refunds" referencing old table as old_rows for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."refunds" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."refunds"  for each statement execute function strongroom.write_audit('payment', 'id');
--> statement-breakpoint
alter table "public"."refunds" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."payment_methods" referencing new table as new_rows for each statement execute function strongroom.write_audit('payment_method', 'id');
--> statement-breakpoint
alter table "public"."payment_methods" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."payment_methods" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('payment_method', 'id');
--> statement-breakpoint
alter table "public"."payment_methods" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."payment_methods" referencing old table as old_rows for each statement execute function strongroom.write_audit('payment_method', 'id');
--> statement-breakpoint
alter table "public"."payment_methods" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."payment_methods"  for each statement execute function strongroom.write_audit('payment_method', 'id');
--> statement-breakpoint
alter table "public"."payment_methods" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."ledger_accounts" referencing new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_accounts" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."ledger_accounts" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_accounts" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."ledger_accounts" referencing old table as old_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_accounts" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."ledger_accounts"  for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_accounts" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."ledger_transactions" referencing new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_transactions" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."ledger_transactions" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_transactions" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."ledger_transactions" referencing old table as old_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_transactions" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."ledger_transactions"  for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_transactions" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."ledger_entries" referencing new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_entries" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."ledger_entries" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_entries" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."ledger_entries" referencing old table as old_rows for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_entries" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."ledger_entries"  for each statement execute function strongroom.write_audit('database_row', 'id');
--> statement-breakpoint
alter table "public"."ledger_entries" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."payment_transitions" referencing new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'from_status', 'to_status');
--> statement-breakpoint
alter table "public"."payment_transitions" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."payment_transitions" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'from_status', 'to_status');
--> statement-breakpoint
alter table "public"."payment_transitions" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."payment_transitions" referencing old table as old_rows for each statement execute function strongroom.write_audit('system_config', 'from_status', 'to_status');
--> statement-breakpoint
alter table "public"."payment_transitions" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."payment_transitions"  for each statement execute function strongroom.write_audit('system_config', 'from_status', 'to_status');
--> statement-breakpoint
alter table "public"."payment_transitions" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."webhook_endpoints" referencing new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'id');
--> statement-breakpoint
alter table "public"."webhook_endpoints" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."webhook_endpoints" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'id');
--> statement-breakpoint
alter table "public"."webhook_endpoints" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."webhook_endpoints" referencing old table as old_rows for each statement execute function strongroom.write_audit('system_config', 'id');
--> statement-breakpoint
alter table "public"."webhook_endpoints" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."webhook_endpoints"  for each statement execute function strongroom.write_audit('system_config', 'id');
--> statement-breakpoint
alter table "public"."webhook_endpoints" enable always trigger write_audit_truncate;
