-- S4.4: every write to what describes accounts, factors, sessions and keys is recorded by triggers. Left out is the
-- machinery that only counts, expires or mirrors, and that an attacker could flood the log by: refresh_tokens (written
-- with its session), revocations (likewise), lockouts, challenges and used_proofs. Made by writeAudit of the platform.
create or replace trigger write_audit_insert after insert on "public"."users" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."users" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."users" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."users" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."users" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."users" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."users"  for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."users" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."sessions" referencing new table as new_rows for each statement execute function strongroom.write_audit('session', 'id');
alter table "public"."sessions" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."sessions" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('session', 'id');
alter table "public"."sessions" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."sessions" referencing old table as old_rows for each statement execute function strongroom.write_audit('session', 'id');
alter table "public"."sessions" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."sessions"  for each statement execute function strongroom.write_audit('session', 'id');
alter table "public"."sessions" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."known_devices" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."known_devices" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."known_devices" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."known_devices" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."known_devices" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."known_devices" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."known_devices"  for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."known_devices" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."message_tokens" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."message_tokens" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."message_tokens" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."message_tokens" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."message_tokens" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."message_tokens" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."message_tokens"  for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."message_tokens" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."totp_factors" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."totp_factors" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."totp_factors" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."totp_factors" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."totp_factors" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."totp_factors" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."totp_factors"  for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."totp_factors" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."backup_codes" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."backup_codes" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."backup_codes" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."backup_codes" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."backup_codes" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."backup_codes" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."backup_codes"  for each statement execute function strongroom.write_audit('user', 'user_id');
alter table "public"."backup_codes" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."passkeys" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."passkeys" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."passkeys" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."passkeys" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."passkeys" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."passkeys" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."passkeys"  for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."passkeys" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."mfa_recoveries" referencing new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."mfa_recoveries" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."mfa_recoveries" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."mfa_recoveries" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."mfa_recoveries" referencing old table as old_rows for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."mfa_recoveries" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."mfa_recoveries"  for each statement execute function strongroom.write_audit('user', 'id');
alter table "public"."mfa_recoveries" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."signing_keys" referencing new table as new_rows for each statement execute function strongroom.write_audit('secret', 'kid');
alter table "public"."signing_keys" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."signing_keys" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('secret', 'kid');
alter table "public"."signing_keys" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."signing_keys" referencing old table as old_rows for each statement execute function strongroom.write_audit('secret', 'kid');
alter table "public"."signing_keys" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."signing_keys"  for each statement execute function strongroom.write_audit('secret', 'kid');
alter table "public"."signing_keys" enable always trigger write_audit_truncate;
--> statement-breakpoint
create or replace trigger write_audit_insert after insert on "public"."secret_rotations" referencing new table as new_rows for each statement execute function strongroom.write_audit('secret', 'id');
alter table "public"."secret_rotations" enable always trigger write_audit_insert;
create or replace trigger write_audit_update after update on "public"."secret_rotations" referencing old table as old_rows new table as new_rows for each statement execute function strongroom.write_audit('secret', 'id');
alter table "public"."secret_rotations" enable always trigger write_audit_update;
create or replace trigger write_audit_delete after delete on "public"."secret_rotations" referencing old table as old_rows for each statement execute function strongroom.write_audit('secret', 'id');
alter table "public"."secret_rotations" enable always trigger write_audit_delete;
create or replace trigger write_audit_truncate after truncate on "public"."secret_rotations"  for each statement execute function strongroom.write_audit('secret', 'id');
alter table "public"."secret_rotations" enable always trigger write_audit_truncate;
