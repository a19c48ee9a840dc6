-- A position doesn't tell the partition, so a plan for one looks into all of them: made anew for each question, as plans
-- are in this database, it costs many times what it costs to run it. This one is made once for each connection.
create function find_audit_record(wanted bigint) returns setof audit_record
language plpgsql stable set plan_cache_mode = 'force_generic_plan' set search_path = pg_catalog as $$
begin
  return query select * from public.audit_record where sequence = wanted;
end $$;
