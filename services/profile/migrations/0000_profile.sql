CREATE TABLE profiles (
  user_id uuid PRIMARY KEY,
  phone bytea,
  address bytea,
  bio text NOT NULL DEFAULT '',
  avatar_url text NOT NULL DEFAULT '',
  tax_id bytea,
  date_of_birth bytea,
  version bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL DEFAULT now(),
  update_time timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
CREATE TABLE preferences (
  user_id uuid PRIMARY KEY,
  document jsonb NOT NULL,
  update_time timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
CREATE TABLE avatars (
  user_id uuid PRIMARY KEY,
  content bytea NOT NULL CHECK (octet_length(content) <= 2097152),
  update_time timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
CREATE TABLE notices (
  id uuid PRIMARY KEY,
  user_id text NOT NULL,
  template text NOT NULL,
  state text NOT NULL CHECK (state IN ('sending', 'sent', 'expired', 'parked')),
  attempt_count integer NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL DEFAULT now(),
  send_time timestamptz
);
--> statement-breakpoint
CREATE TABLE erasures (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL UNIQUE,
  steps_done text[] NOT NULL DEFAULT '{}' CHECK (steps_done <@ ARRAY['auth', 'payments', 'profile', 'audit']),
  create_time timestamptz NOT NULL DEFAULT now(),
  complete_time timestamptz
);
--> statement-breakpoint
CREATE INDEX erasures_running ON erasures (create_time) WHERE complete_time IS NULL;
