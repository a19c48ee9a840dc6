-- The audit log. Records are append-only twice: the runtime role lacks the right to change them, and triggers refuse a
-- change to whoever has it, the owner included. What a superuser does with triggers off is found by the offline
-- verifier (B-log).
create extension if not exists pg_trgm;
--> statement-breakpoint
create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'The audit log is append-only: % of % is refused.', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
--> statement-breakpoint
-- Partitioned by retention class, then by time, so that what is past its retention goes by dropping partitions (S7.3).
create table audit_record (
  sequence bigint not null check (sequence >= 0),
  retention_class text not null,
  event_id uuid not null,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  actor_id uuid,
  actor_kind text not null,
  actor_name text not null,
  subject_id uuid,
  device_id text not null,
  trace_id text not null,
  request_id text not null,
  occur_time timestamptz not null,
  record_time timestamptz not null,
  details jsonb not null,
  source text not null,
  -- Personal data, sealed under the person's key (B-erase).
  actor_sealed bytea,
  subject_sealed bytea,
  salt bytea not null check (octet_length(salt) = 32),
  search_text text not null generated always as (
    event_id::text || ' ' || resource_id || ' ' || coalesce(actor_id::text, '') || ' ' || actor_name || ' ' ||
    coalesce(subject_id::text, '') || ' ' || trace_id || ' ' || request_id || ' ' || details::text
  ) stored,
  primary key (retention_class, record_time, sequence)
) partition by list (retention_class);
--> statement-breakpoint
create table retention_class (
  name text primary key,
  -- PCI DSS 4.0.1 requirement 10.5.1 asks for twelve months; money and administration follow bookkeeping law.
  days integer not null check (days >= 1),
  -- Length of a partition. Long-lived classes have longer ones, so that their number stays small.
  partition_months integer not null check (partition_months in (1, 12))
);
--> statement-breakpoint
insert into retention_class (name, days, partition_months) values
  ('authentication', 400, 1),
  ('access', 400, 1),
  ('change', 400, 1),
  ('administration', 2557, 12),
  ('money', 3653, 12);
--> statement-breakpoint
create table audit_record_authentication partition of audit_record for values in ('authentication')
  partition by range (record_time);
--> statement-breakpoint
create table audit_record_access partition of audit_record for values in ('access') partition by range (record_time);
--> statement-breakpoint
create table audit_record_change partition of audit_record for values in ('change') partition by range (record_time);
--> statement-breakpoint
create table audit_record_administration partition of audit_record for values in ('administration')
  partition by range (record_time);
--> statement-breakpoint
create table audit_record_money partition of audit_record for values in ('money') partition by range (record_time);
--> statement-breakpoint
create index audit_record_sequence on audit_record (sequence);
--> statement-breakpoint
create index audit_record_action on audit_record (action, sequence);
--> statement-breakpoint
create index audit_record_actor on audit_record (actor_id, sequence) where actor_id is not null;
--> statement-breakpoint
create index audit_record_subject on audit_record (subject_id, sequence) where subject_id is not null;
--> statement-breakpoint
create index audit_record_resource on audit_record (resource_type, resource_id, sequence);
--> statement-breakpoint
create index audit_record_occur_time on audit_record (occur_time);
--> statement-breakpoint
create index audit_record_text on audit_record using gin (search_text gin_trgm_ops);
--> statement-breakpoint
create trigger refuse_change before update or delete on audit_record
  for each row execute function refuse_change();
--> statement-breakpoint
-- One row for each leaf, for ever: the event ids taken, and the entries whose hashes are the leaves. An entry is a salted
-- commitment and tells nothing of its record once record and salt are pruned.
create table log_leaf (
  sequence bigint primary key check (sequence >= 0),
  event_id uuid not null unique,
  entry bytea not null check (octet_length(entry) = 32)
);
--> statement-breakpoint
-- Full tiles only (C2SP tlog-tiles): they never change. The partial ones are the edge in log_state.
create table log_tile (
  level smallint not null check (level between 0 and 63),
  index bigint not null check (index >= 0),
  bytes bytea not null check (octet_length(bytes) = 8192),
  primary key (level, index)
);
--> statement-breakpoint
create table log_checkpoint (
  id bigint generated always as identity primary key,
  size bigint not null check (size >= 0),
  root bytea not null check (octet_length(root) = 32),
  note text not null,
  cosigned boolean not null,
  create_time timestamptz not null default clock_timestamp()
);
--> statement-breakpoint
create index log_checkpoint_size on log_checkpoint (size, id);
--> statement-breakpoint
create index log_checkpoint_cosigned on log_checkpoint (id) where cosigned;
--> statement-breakpoint
create table log_state (
  id boolean primary key default true check (id),
  size bigint not null check (size >= 0),
  -- The partial tiles at the right edge, level 0 first; the size tells how long each is.
  edge bytea not null,
  -- Records below it may have been pruned; signed with each checkpoint.
  minimum_index bigint not null default 0 check (minimum_index >= 0)
);
--> statement-breakpoint
insert into log_state (size, edge) values (0, '');
--> statement-breakpoint
create function refuse_shrinking() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if new.size < old.size or new.minimum_index < old.minimum_index or new.minimum_index > new.size then
    raise exception 'The audit log only grows.' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
--> statement-breakpoint
create trigger refuse_shrinking before update on log_state for each row execute function refuse_shrinking();
--> statement-breakpoint
create trigger refuse_delete before delete on log_state for each row execute function refuse_change();
--> statement-breakpoint
-- Messages that are no event (F29). They may hold personal data, so the payload is sealed.
create table parked_event (
  id uuid primary key,
  digest bytea not null unique check (octet_length(digest) = 32),
  message_id text not null,
  subject text not null,
  sealed_payload bytea not null,
  reason text not null,
  park_time timestamptz not null default clock_timestamp(),
  replay_time timestamptz
);
--> statement-breakpoint
create trigger refuse_change before update or delete on log_leaf for each statement execute function refuse_change();
--> statement-breakpoint
create trigger refuse_change before update or delete on log_tile for each statement execute function refuse_change();
--> statement-breakpoint
create trigger refuse_change before update or delete on log_checkpoint for each statement execute function refuse_change();
--> statement-breakpoint
-- Truncate triggers aren't inherited by partitions, and rights on a partition don't follow those on its parent.
create function harden_append_only(target regclass) returns void language plpgsql set search_path = pg_catalog as $$
declare
  grantee text;
begin
  execute format('create trigger refuse_truncate before truncate on %s for each statement execute function public.refuse_change()', target);
  for grantee in
    select distinct pg_get_userbyid(acl.grantee) from pg_class, aclexplode(relacl) as acl
    where pg_class.oid = target and acl.grantee <> relowner and acl.grantee <> 0
  loop
    execute format('revoke update, delete, truncate, references, trigger on %s from %I', target, grantee);
  end loop;
end $$;
--> statement-breakpoint
-- Makes the partitions for a moment and the period after it. The runtime role may not create tables, so this runs as
-- the owner and takes nothing but a time.
create function ensure_audit_partitions(moment timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  class record;
  first timestamptz;
  step interval;
  partition text;
begin
  if moment < clock_timestamp() - interval '62 days' or moment > clock_timestamp() + interval '62 days' then
    raise exception 'Partitions are made for the present only.' using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock(7203425);
  for class in select name, partition_months from public.retention_class order by name loop
    step := make_interval(months => class.partition_months);
    first := date_trunc(case class.partition_months when 12 then 'year' else 'month' end, moment, 'UTC');
    for ahead in 0..1 loop
      partition := format('audit_record_%s_%s', class.name, to_char(first at time zone 'UTC', 'YYYYMM'));
      if to_regclass('public.' || partition) is null then
        execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
          partition, 'audit_record_' || class.name, first, (first at time zone 'UTC' + step) at time zone 'UTC');
        perform public.harden_append_only(('public.' || partition)::regclass);
      end if;
      first := (first at time zone 'UTC' + step) at time zone 'UTC';
    end loop;
  end loop;
end $$;
--> statement-breakpoint
-- Drops the oldest partition that is wholly past its class's retention and holds no record of a held person; gives
-- its class, highest sequence and number of records, or no row. Leaves, entries and tiles stay, so every proof stays valid
-- (S7.3, B-erase).
create function prune_audit_partition(held uuid[])
  returns table (retention_class text, last_sequence bigint, record_count bigint)
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  candidate record;
  is_held boolean;
begin
  perform pg_advisory_xact_lock(7203425);
  for candidate in
    select class.name, child.oid as partition,
           substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \(''([^'']+)''\)')::timestamptz as upper_bound,
           class.days
    from public.retention_class as class
    join pg_class as parent on parent.oid = to_regclass('public.audit_record_' || class.name)
    join pg_inherits on inhparent = parent.oid
    join pg_class as child on child.oid = inhrelid
    order by 3, 1
  loop
    continue when candidate.upper_bound > clock_timestamp() - make_interval(days => candidate.days);
    execute format('select exists (select from %s where subject_id = any($1) or actor_id = any($1))',
      candidate.partition::regclass) into is_held using held;
    continue when is_held;
    execute format('select %L::text, max(sequence), count(*) from %s', candidate.name, candidate.partition::regclass)
      into retention_class, last_sequence, record_count;
    execute format('drop table %s', candidate.partition::regclass);
    return next;
    return;
  end loop;
end $$;
--> statement-breakpoint
do $$
declare
  name text;
  target text;
  grantee text;
begin
  foreach target in array array['audit_record', 'log_leaf', 'log_tile', 'log_checkpoint', 'log_state', 'retention_class'] loop
    if target <> 'log_state' and target <> 'retention_class' then
      perform harden_append_only(target::regclass);
    end if;
  end loop;
  for name in select retention_class.name from retention_class loop
    perform harden_append_only(('audit_record_' || name)::regclass);
  end loop;
  create trigger refuse_truncate before truncate on log_state for each statement execute function refuse_change();
  -- Runs once, as the owner: nobody else may harden, and the policy is the owner's alone.
  for grantee in
    select distinct pg_get_userbyid(acl.grantee) from pg_class, aclexplode(relacl) as acl
    where pg_class.oid = 'retention_class'::regclass and acl.grantee <> relowner and acl.grantee <> 0
  loop
    execute format('revoke insert, update, delete, truncate on retention_class from %I', grantee);
    execute format('revoke insert, delete, truncate on log_state from %I', grantee);
    execute format('revoke execute on function harden_append_only(regclass) from %I', grantee);
  end loop;
end $$;
--> statement-breakpoint
revoke execute on function harden_append_only(regclass) from public;
--> statement-breakpoint
revoke execute on function ensure_audit_partitions(timestamptz) from public;
--> statement-breakpoint
revoke execute on function prune_audit_partition(uuid[]) from public;
