-- Printed by writeAudit() of the platform (S4.4).
create or replace trigger write_audit_insert after insert on "public"."flag" referencing new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'name');
--> statement-breakpoint
alter table "public"."flag" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."flag" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('system_config', 'name');
--> statement-breakpoint
alter table "public"."flag" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."flag" referencing old table as old_rows for each statement execute function strongroom.write_audit('system_config', 'name');
--> statement-breakpoint
alter table "public"."flag" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."flag"  for each statement execute function strongroom.write_audit('system_config', 'name');
--> statement-breakpoint
alter table "public"."flag" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."legal_hold" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."legal_hold" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."legal_hold" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."legal_hold" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."legal_hold" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."legal_hold" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."legal_hold"  for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."legal_hold" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."erasure" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
--> statement-breakpoint
alter table "public"."erasure" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."erasure" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
--> statement-breakpoint
alter table "public"."erasure" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."erasure" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'user_id');
--> statement-breakpoint
alter table "public"."erasure" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."erasure"  for each statement execute function strongroom.write_audit('user', 'user_id');
--> statement-breakpoint
alter table "public"."erasure" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."anomaly" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."anomaly" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."anomaly" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."anomaly" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."anomaly" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."anomaly" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."anomaly"  for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."anomaly" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."report" referencing new table as new_rows for each statement execute function strongroom.write_audit('audit_log', 'id');
--> statement-breakpoint
alter table "public"."report" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."report" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('audit_log', 'id');
--> statement-breakpoint
alter table "public"."report" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."report" referencing old table as old_rows for each statement execute function strongroom.write_audit('audit_log', 'id');
--> statement-breakpoint
alter table "public"."report" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."report"  for each statement execute function strongroom.write_audit('audit_log', 'id');
--> statement-breakpoint
alter table "public"."report" enable always trigger write_audit_truncate;
