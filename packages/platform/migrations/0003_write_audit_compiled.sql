-- The write audit took more than a third of the time of a statement that settles many payments. The records stay the
-- same; what they are made from is looked at once a row, and tables that are written most have a trigger function of
-- their own, which knows their columns.

-- Puts what a statement wrote on record: a record for each row with an act of its own, one for each hundred of all others.
-- `changes` are the changed columns of each row, joined by commas.
--
-- `strongroom.acts` holds acts by row id, for rows of the table that `strongroom.acts_table` names, or of any.
create function strongroom.record_writes(
  table_schema text, table_name text, operation text, resource_type text, ids text[], changes text[]
) returns void language plpgsql as $$
declare
  rows_a_record constant integer := 100;
  given_kind constant text := nullif(current_setting('strongroom.actor_kind', true), '');
  full_name constant text := case when table_schema = 'public' then table_name else table_schema || '.' || table_name end;
  acts_table constant text := nullif(current_setting('strongroom.acts_table', true), '');
  acts jsonb;
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
    ids := array(select id from unnest(ids) as id where not acts ? id);
    if ids = '{}' then
      return;
    end if;
  end if;
  columns := (
    select string_agg(distinct name, ',' order by name)
    from (select distinct changed from unnest(changes) as changed) as each, string_to_table(changed, ',') as name
  );
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
-- `offset 0`: without it to_jsonb runs again wherever its result is named.
create or replace function strongroom.write_audit() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  key_columns constant text[] := tg_argv[1:];
  single_key constant text := case when tg_nargs = 2 then tg_argv[1] end;
  ids text[];
  changes text[];
begin
  if tg_op = 'INSERT' then
    select array_agg(coalesce(content ->> single_key, strongroom.row_key(content, key_columns)))
      into ids from (select to_jsonb(new_rows) as content from new_rows offset 0) as written;
  elsif tg_op = 'DELETE' then
    select array_agg(coalesce(content ->> single_key, strongroom.row_key(content, key_columns)))
      into ids from (select to_jsonb(old_rows) as content from old_rows offset 0) as written;
  elsif tg_op = 'UPDATE' then
    -- A changed key leaves a row without partner on either side: both ids are recorded.
    with old_side as (
      select coalesce(content ->> single_key, strongroom.row_key(content, key_columns)) as id, content
      from (select to_jsonb(old_rows) as content from old_rows offset 0) as written
    ), new_side as (
      select coalesce(content ->> single_key, strongroom.row_key(content, key_columns)) as id, content
      from (select to_jsonb(new_rows) as content from new_rows offset 0) as written
    )
    select array_agg(coalesce(n.id, o.id)), array_agg(case
        when n.id is null or o.id is null then array_to_string(key_columns, ',')
        else (select string_agg(field.key, ',' order by field.key) from jsonb_each(n.content) as field
          where o.content -> field.key is distinct from field.value) end)
      into ids, changes from new_side n full join old_side o on n.id = o.id;
  end if;
  if ids is not null or tg_op = 'TRUNCATE' then
    perform strongroom.record_writes(tg_table_schema, tg_table_name, tg_op, tg_argv[0], ids, changes);
  end if;
  return null;
end $$;
--> statement-breakpoint
drop function strongroom.changed_columns(jsonb, jsonb);
--> statement-breakpoint
-- For a migration, after the triggers of `writeAudit(table)`, with what they were given: makes a function of the table's
-- own, write_audit_of_<table>, and has its triggers run that. The records are those of write_audit(), made in a fifth of
-- the time. It stops every write once a column has come that it doesn't know: a migration that adds one calls this again.
create function strongroom.compile_write_audit(target text, resource_type text, variadic key_columns text[])
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
    begin
      if (select relnatts from pg_class where oid = tg_relid) <> %2$s then
        raise exception '%% has a column that its write audit does not know: call strongroom.compile_write_audit again.',
          tg_table_name;
      end if;
      if tg_op = 'INSERT' then
        select array_agg(%3$s) into ids from new_rows n;
      elsif tg_op = 'DELETE' then
        select array_agg(%4$s) into ids from old_rows o;
      elsif tg_op = 'UPDATE' then
        -- A changed key leaves a row without partner on either side: both ids are recorded.
        select array_agg(case when n.%5$I is null then %4$s else %3$s end),
          array_agg(case when n.%5$I is null or o.%5$I is null then %6$L else nullif(concat_ws(',', %7$s), '') end)
          into ids, changes from new_rows n full join old_rows o on %8$s;
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
