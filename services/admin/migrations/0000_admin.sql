create table flag (
  name text primary key,
  enabled boolean not null,
  actor_id uuid not null,
  update_time timestamptz not null default clock_timestamp()
);
--> statement-breakpoint
create table legal_hold (
  id uuid primary key,
  user_id uuid not null,
  reason text not null,
  actor_id uuid not null,
  create_time timestamptz not null default clock_timestamp(),
  release_time timestamptz
);
--> statement-breakpoint
create unique index legal_hold_active on legal_hold (user_id) where release_time is null;
--> statement-breakpoint
-- Who was erased, and when: the keystore alone decides what can still be read.
create table erasure (
  user_id uuid primary key,
  create_time timestamptz not null default clock_timestamp()
);
--> statement-breakpoint
create table anomaly (
  id uuid primary key,
  kind text not null,
  state text not null default 'OPEN' check (state in ('OPEN', 'CONFIRMED', 'DISMISSED')),
  user_id uuid,
  event_id uuid not null,
  score double precision not null check (score between 0 and 1),
  reasons text[] not null,
  action text not null check (action in ('observe', 'step_up', 'block')),
  create_time timestamptz not null default clock_timestamp(),
  resolver_id uuid,
  resolution text not null default '',
  resolve_time timestamptz,
  unique (event_id, kind)
);
--> statement-breakpoint
create index anomaly_newest on anomaly (id desc);
--> statement-breakpoint
create index anomaly_user on anomaly (user_id, id desc);
--> statement-breakpoint
create index anomaly_open on anomaly (id desc) where state = 'OPEN';
--> statement-breakpoint
-- How far the detection has read the audit log, and what it knows by then. Both are made from the log alone, so their
-- writes aren't recorded in it: each record would cause the next.
create table anomaly_cursor (
  id boolean primary key default true check (id),
  next_sequence bigint not null default 0 check (next_sequence >= 0)
);
--> statement-breakpoint
insert into anomaly_cursor (id) values (true);
--> statement-breakpoint
create table anomaly_baseline (
  user_id uuid primary key,
  baseline jsonb not null,
  update_time timestamptz not null default clock_timestamp()
);
--> statement-breakpoint
create table report (
  id uuid primary key,
  kind text not null,
  format text not null,
  state text not null check (state in ('RUNNING', 'COMPLETED', 'FAILED')),
  start_time timestamptz not null,
  end_time timestamptz not null check (end_time > start_time),
  subject_id uuid,
  actor_id uuid not null,
  first_sequence bigint,
  last_sequence bigint,
  checkpoint text not null default '',
  complete boolean not null default false,
  row_count integer not null default 0,
  content_type text not null default '',
  content bytea,
  failure text not null default '',
  create_time timestamptz not null default clock_timestamp()
);
