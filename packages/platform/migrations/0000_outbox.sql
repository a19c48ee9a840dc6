-- B-outbox: what a service has to tell leaves in the transaction of the act, as a row here. The relay publishes it, and
-- it is deleted once the audit database itself has confirmed it (events) or the bus has kept it long enough (notices).
create schema strongroom;
--> statement-breakpoint
create table strongroom.outbox (
  -- Rises in the order of insertion, not of commit: nobody may take it for a cursor.
  order_id bigint generated always as identity primary key,
  event_id uuid not null unique,
  kind text not null check (kind in ('event', 'notice')),
  -- Action of an event, template of a notice: the last part of the subject.
  name text not null check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
  -- Binary protobuf from the application, or a record from a trigger, which the relay turns into protobuf.
  payload bytea,
  record jsonb,
  -- W3C Trace Context of the act, so that the consumer's spans belong to the same trace.
  traceparent text,
  created_at timestamptz not null default clock_timestamp(),
  -- A notice is worthless after this.
  expires_at timestamptz,
  published_at timestamptz,
  attempts integer not null default 0,
  -- Counts re-publications of what the bus took and lost; part of the message id, because JetStream's duplicate window
  -- would swallow the second copy of an id that it remembers.
  round smallint not null default 0,
  check (num_nonnulls(payload, record) = 1)
);
--> statement-breakpoint
create index outbox_unpublished on strongroom.outbox (order_id) where published_at is null;
--> statement-breakpoint
-- Every row is inserted, updated once and deleted: without frequent vacuums the indexes fill with the dead.
alter table strongroom.outbox set (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 10000
);
--> statement-breakpoint
-- Names in the schema, not rights on its tables: those come from the owner's default privileges, for the runtime role.
grant usage on schema strongroom to public;
