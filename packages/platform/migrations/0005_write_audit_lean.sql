-- The records stay the same. What a statement of a payment's life pays for them becomes less: a query that had nothing to
-- look for isn't run, and the columns are counted by the query that reads the rows.

-- A row lives for seconds: to compress it, or to put a part of it into another table, as PostgreSQL does from 2 KB on, costs
-- more than it saves.
alter table strongroom.outbox set (toast_tuple_target = 8160);
--> statement-breakpoint
-- The same names as before. A bound on the count of characters inside the expression has PostgreSQL keep a state for each of
-- them, which took more than ten times as long.
alter table strongroom.outbox drop constraint outbox_name_check,
  add constraint outbox_name_check check (length(name) between 1 and 64 and name !~ '[^A-Za-z0-9_-]');
--> statement-breakpoint
-- Puts what a statement wrote on record: a record for each row with an act of its own, one for each hundred of all others.
-- `changes` are the changed columns of each row, joined by commas.
--
-- `strongroom.acts` holds acts by row id, for rows of the table that `strongroom.acts_table` names, or of any.
--
-- force_generic_plan: with the arrays at hand PostgreSQL counts fewer rows than without, and made a new plan at every call.
create or replace function strongroom.record_writes(
  table_schema text, table_name text, operation text, resource_type text, ids text[], changes text[]
) returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  rows_a_record constant integer := 100;
  given_kind constant text := nullif(current_setting('strongroom.actor_kind', true), '');
  full_name constant text := case when table_schema = 'public' then table_name else table_schema || '.' || table_name end;
  acts_table constant text := nullif(current_setting('strongroom.acts_table', true), '');
  acts jsonb;
  recorded bigint;
  columns text;
begin
  if ids is not null and (acts_table is null or acts_table = full_name) then
    acts := nullif(current_setting('strongroom.acts', true), '')::jsonb;
  end if;
  if acts is not null then
    insert into strongroom.outbox (event_id, kind, name, record)
    select strongroom.uuidv7(), 'event', 'DB_WRITE', own.act || jsonb_build_object(
      'action', 'DB_WRITE', 'resourceType', resource_type, 'resourceId', row.id,
      'details', jsonb_strip_nulls(jsonb_build_object(
        'table', full_name, 'operation', operation, 'rows', '1', 'databaseRole', session_user::text,
        'columns', row.changed)))
    from unnest(ids, changes) as row (id, changed), lateral (select acts -> row.id as act offset 0) as own
    where own.act is not null;
    get diagnostics recorded = row_count;
    if recorded = cardinality(ids) then
      return;
    end if;
    ids := array(select id from unnest(ids) as id where not acts ? id);
  end if;
  if changes is not null then
    columns := (
      select string_agg(distinct name, ',' order by name)
      from (select distinct changed from unnest(changes) as changed) as each, string_to_table(changed, ',') as name
    );
  end if;
  insert into strongroom.outbox (event_id, kind, name, record)
  select strongroom.uuidv7(), 'event', 'DB_WRITE', jsonb_build_object(
    'action', 'DB_WRITE',
    'resourceType', resource_type,
    'resourceId', case when cardinality(ids) = 1 then ids[1] else '' end,
    'actorKind', coalesce(given_kind, 'database'),
    'actorId', coalesce(current_setting('strongroom.actor_id', true), ''),
    'actorName', case when given_kind is null then session_user::text
      else coalesce(current_setting('strongroom.actor_name', true), '') end,
    'ipAddress', coalesce(current_setting('strongroom.ip_address', true), ''),
    'userAgent', coalesce(current_setting('strongroom.user_agent', true), ''),
    'deviceId', coalesce(current_setting('strongroom.device_id', true), ''),
    'traceId', coalesce(current_setting('strongroom.trace_id', true), ''),
    'requestId', coalesce(current_setting('strongroom.request_id', true), ''),
    'details', jsonb_strip_nulls(jsonb_build_object(
      'table', full_name,
      'operation', operation,
      'rows', coalesce(cardinality(ids), 0)::text,
      'ids', case when cardinality(ids) > 1
        then array_to_string(ids[first_index : first_index + rows_a_record - 1], ',') end,
      'columns', columns,
      'databaseRole', session_user::text
    ))
  )
  from generate_series(1, coalesce(cardinality(ids), 1), rows_a_record) as first_index;
end $$;
--> statement-breakpoint
-- For a migration, after the triggers of `writeAudit(table)`, with what they were given: makes a function of the table's
-- own, write_audit_of_<table>, and has its triggers run that. The records are those of write_audit(), made in a fifth of
-- the time. It stops every write once a column has come that it doesn't know: a migration that adds one calls this again.
create or replace function strongroom.compile_write_audit(target text, resource_type text, variadic key_columns text[])
returns void language plpgsql as $make$
declare
  relation constant regclass := target::regclass;
  relation_name constant text := (select relname from pg_class where oid = relation);
  function_name constant text := 'strongroom.' || quote_ident('write_audit_of_' || relation_name);
  key_of_new constant text := (
    select format('concat_ws(''/'', %s)', string_agg(format('n.%I::text', name), ', ' order by position))
    from unnest(key_columns) with ordinality as part (name, position));
  key_of_old constant text := replace(key_of_new, 'n.', 'o.');
  changed constant text := (
    -- json has no equality.
    select string_agg(format(
        case when atttypid = 'json'::regtype
          then 'case when to_jsonb(n.%1$I) is distinct from to_jsonb(o.%1$I) then %1$L end'
          else 'case when n.%1$I is distinct from o.%1$I then %1$L end' end,
        attname), ', ' order by attname)
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped);
begin
  -- Their text is then what to_jsonb makes of them.
  if exists (
    select 1 from unnest(key_columns) as name left join pg_attribute on attrelid = relation and attname = name
    where atttypid is null or atttypid not in ('uuid'::regtype, 'text'::regtype, 'bigint'::regtype, 'integer'::regtype)
  ) then
    raise exception 'A key of % is neither uuid, text, bigint nor integer.', target;
  end if;
  execute format(
    $function$
    create or replace function %1$s() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $body$
    declare
      ids text[];
      changes text[];
      column_count integer;
    begin
      if tg_op = 'INSERT' then
        select array_agg(%3$s), (select relnatts from pg_class where oid = tg_relid) into ids, column_count from new_rows n;
      elsif tg_op = 'DELETE' then
        select array_agg(%4$s), (select relnatts from pg_class where oid = tg_relid) into ids, column_count from old_rows o;
      elsif tg_op = 'UPDATE' then
        -- A changed key leaves a row without partner on either side: both ids are recorded.
        select array_agg(case when n.%5$I is null then %4$s else %3$s end),
          array_agg(case when n.%5$I is null or o.%5$I is null then %6$L else nullif(concat_ws(',', %7$s), '') end),
          (select relnatts from pg_class where oid = tg_relid)
          into ids, changes, column_count from new_rows n full join old_rows o on %8$s;
      end if;
      if column_count <> %2$s then
        raise exception '%% has a column that its write audit does not know: call strongroom.compile_write_audit again.',
          tg_table_name;
      end if;
      if ids is not null or tg_op = 'TRUNCATE' then
        perform strongroom.record_writes(tg_table_schema, tg_table_name, tg_op, tg_argv[0], ids, changes);
      end if;
      return null;
    end $body$
    $function$,
    function_name, (select relnatts from pg_class where oid = relation), key_of_new, key_of_old, key_columns[1],
    array_to_string(key_columns, ','), changed,
    (select string_agg(format('n.%1$I = o.%1$I', name), ' and ') from unnest(key_columns) as name)
  );
  execute (
    select string_agg(
      format(
        'create or replace trigger %1$s after %2$s on %3$s %4$s for each statement execute function %5$s(%6$L%7$s);'
          'alter table %3$s enable always trigger %1$s;',
        'write_audit_' || event, event, relation, transition, function_name, resource_type,
        (select string_agg(format(', %L', name), '' order by position)
          from unnest(key_columns) with ordinality as part (name, position))),
      '')
    from (values
      ('insert', 'referencing new table as new_rows'),
      ('update', 'referencing old table as old_rows new table as new_rows'),
      ('delete', 'referencing old table as old_rows'),
      ('truncate', '')
    ) as kind (event, transition)
  );
end $make$;
