-- With the ids at hand PostgreSQL counts fewer rows than without, and so made a new plan at every call.
alter function money_differs(uuid[]) set plan_cache_mode = force_generic_plan;
--> statement-breakpoint
-- A check that is one expression is read and planned anew by every statement, with all it names; this is planned once.
create or replace function is_payment_transition(from_status text, to_status text) returns boolean
language plpgsql immutable parallel safe as $$
begin
  return from_status || '>' || to_status in (
    'pending>pending', 'pending>processing', 'pending>failed', 'pending>cancelled',
    'processing>processing', 'processing>completed', 'processing>failed', 'processing>cancelled',
    'completed>completed', 'completed>partially_refunded', 'completed>refunded',
    'partially_refunded>partially_refunded', 'partially_refunded>refunded',
    'failed>failed', 'cancelled>cancelled', 'refunded>refunded'
  );
end $$;
