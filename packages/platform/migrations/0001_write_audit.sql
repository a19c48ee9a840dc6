-- S4.4: every write to a table with the triggers of `writeAudit(table)` is recorded in the same transaction, also one by
-- psql: table, row ids, operation and the names of changed columns. Values never.

-- A UUIDv7 (RFC 9562) from a random UUIDv4: its first 48 bits become the time, its version 7. PostgreSQL 18 has one
-- of its own, five times as fast; 15 to 17 don't. Bodies that are parsed here need no search_path, with which
-- PostgreSQL could not put them in the caller's place.
do $make$
begin
  if current_setting('server_version_num')::integer >= 180000 then
    create function strongroom.uuidv7() returns uuid language sql volatile parallel safe
    return pg_catalog.uuidv7();
  else
    create function strongroom.uuidv7() returns uuid language sql volatile parallel safe
    return encode(
      set_bit(
        set_bit(
          overlay(
            uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6
          ),
          52, 1
        ),
        53, 1
      ),
      'hex'
    )::uuid;
  end if;
end
$make$;
--> statement-breakpoint
-- The id of a row: the values of its key's columns.
create function strongroom.row_key(content jsonb, key_columns text[]) returns text language sql immutable parallel safe
return (
  select string_agg(content ->> name, '/' order by position)
  from unnest(key_columns) with ordinality as part (name, position)
);
--> statement-breakpoint
create function strongroom.changed_columns(old_content jsonb, new_content jsonb) returns text[]
language sql immutable parallel safe
return (
  select array_agg(changed.key order by changed.key)
  from jsonb_each(new_content) as changed
  where old_content -> changed.key is distinct from changed.value
);
--> statement-breakpoint
-- Arguments of the trigger: resource type, then the columns of the key.
--
-- SECURITY DEFINER: whoever may write the table is recorded, also a role that may not write the outbox. session_user is
-- then still the role that connected, and search_path is fixed so that nobody can put another table in the way.
create function strongroom.write_audit() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  resource_type constant text := tg_argv[0];
  key_columns constant text[] := tg_argv[1:];
  single_key constant text := case when tg_nargs = 2 then tg_argv[1] end;
  rows_a_record constant integer := 100;
  given_kind constant text := nullif(current_setting('strongroom.actor_kind', true), '');
  -- Of a statement that writes rows of several people at once: the act of a row, by its id, which then has a record of its
  -- own. All other rows share the act of the transaction.
  acts constant jsonb := nullif(current_setting('strongroom.acts', true), '')::jsonb;
  base jsonb;
  ids text[];
  columns text[];
  changes text[];
  first_index integer;
  chunk text[];
begin
  if tg_op = 'INSERT' then
    select array_agg(coalesce(written.content ->> single_key, strongroom.row_key(written.content, key_columns)))
      into ids from (select to_jsonb(new_rows) as content from new_rows) as written;
  elsif tg_op = 'DELETE' then
    select array_agg(coalesce(written.content ->> single_key, strongroom.row_key(written.content, key_columns)))
      into ids from (select to_jsonb(old_rows) as content from old_rows) as written;
  elsif tg_op = 'UPDATE' then
    -- A changed key leaves a row without partner on either side: both ids are recorded.
    with old_side as (
      select coalesce(content ->> single_key, strongroom.row_key(content, key_columns)) as id, content
      from (select to_jsonb(old_rows) as content from old_rows) as written
    ), new_side as (
      select coalesce(content ->> single_key, strongroom.row_key(content, key_columns)) as id, content
      from (select to_jsonb(new_rows) as content from new_rows) as written
    ), pair as (
      select coalesce(new_side.id, old_side.id) as id,
        case when new_side.id is null or old_side.id is null then key_columns
          else strongroom.changed_columns(old_side.content, new_side.content) end as changed
      from new_side full join old_side on new_side.id = old_side.id
    )
    select array_agg(pair.id), array_agg(array_to_string(pair.changed, ',')),
      (select array_agg(distinct name order by name) from pair as each, unnest(each.changed) as name)
      into ids, changes, columns from pair;
  end if;
  if tg_op <> 'TRUNCATE' and ids is null then
    return null;
  end if;

  if acts is not null and tg_op <> 'TRUNCATE' then
    insert into strongroom.outbox (event_id, kind, name, record)
    select strongroom.uuidv7(), 'event', 'DB_WRITE', (acts -> row.id) || common.known || jsonb_build_object(
      'resourceId', row.id, 'details', common.details || jsonb_strip_nulls(jsonb_build_object('columns', row.changed)))
    from unnest(ids, changes) as row (id, changed), (select
      jsonb_build_object('action', 'DB_WRITE', 'resourceType', resource_type) as known,
      jsonb_build_object(
        'table', case when tg_table_schema = 'public' then tg_table_name::text
          else tg_table_schema || '.' || tg_table_name end,
        'operation', tg_op, 'rows', '1', 'databaseRole', session_user::text) as details offset 0) common
    where acts ? row.id;
    ids := array(select id from unnest(ids) as id where not acts ? id);
    if ids = '{}' then
      return null;
    end if;
  end if;

  base := jsonb_build_object(
    'action', 'DB_WRITE',
    'resourceType', resource_type,
    'actorKind', coalesce(given_kind, 'database'),
    'actorId', coalesce(current_setting('strongroom.actor_id', true), ''),
    'actorName', case when given_kind is null then session_user::text
      else coalesce(current_setting('strongroom.actor_name', true), '') end,
    'ipAddress', coalesce(current_setting('strongroom.ip_address', true), ''),
    'userAgent', coalesce(current_setting('strongroom.user_agent', true), ''),
    'deviceId', coalesce(current_setting('strongroom.device_id', true), ''),
    'traceId', coalesce(current_setting('strongroom.trace_id', true), ''),
    'requestId', coalesce(current_setting('strongroom.request_id', true), '')
  );
  first_index := 1;
  loop
    chunk := ids[first_index : first_index + rows_a_record - 1];
    insert into strongroom.outbox (event_id, kind, name, record) values (
      strongroom.uuidv7(), 'event', 'DB_WRITE',
      base || jsonb_build_object(
        'resourceId', case when cardinality(ids) = 1 then ids[1] else '' end,
        'details', jsonb_strip_nulls(jsonb_build_object(
          'table', case when tg_table_schema = 'public' then tg_table_name::text
            else tg_table_schema || '.' || tg_table_name end,
          'operation', tg_op,
          'rows', coalesce(cardinality(ids), 0)::text,
          'ids', case when cardinality(ids) > 1 then array_to_string(chunk, ',') end,
          'columns', array_to_string(columns, ','),
          'databaseRole', session_user::text
        ))
      )
    );
    first_index := first_index + rows_a_record;
    exit when first_index > coalesce(cardinality(ids), 0);
  end loop;
  return null;
end
$$;
