-- Printed by writeAudit() of the platform (S4.4).
create or replace trigger write_audit_insert after insert on "public"."profiles" referencing new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."profiles" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."profiles" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."profiles" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."profiles" referencing old table as old_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."profiles" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."profiles"  for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."profiles" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."preferences" referencing new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."preferences" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."preferences" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."preferences" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."preferences" referencing old table as old_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."preferences" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."preferences"  for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."preferences" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."avatars" referencing new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."avatars" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."avatars" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."avatars" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."avatars" referencing old table as old_rows for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."avatars" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."avatars"  for each statement execute function strongroom.write_audit('profile', 'user_id');
--> statement-breakpoint
alter table "public"."avatars" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."erasures" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."erasures" enable always trigger write_audit_insert;
--> statement-breakpoint
create or replace trigger write_audit_update after update on "public"."erasures" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."erasures" enable always trigger write_audit_update;
--> statement-breakpoint
create or replace trigger write_audit_delete after delete on "public"."erasures" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."erasures" enable always trigger write_audit_delete;
--> statement-breakpoint
create or replace trigger write_audit_truncate after truncate on "public"."erasures"  for each statement execute function strongroom.write_audit('user', 'id');
--> statement-breakpoint
alter table "public"."erasures" enable always trigger write_audit_truncate;
