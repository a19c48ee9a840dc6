-- Until when, at the latest, the marker in Redis may say that Redis knows every revocation (S1.2c). Written before the
-- marker is: a revocation that Redis could not be told of is acknowledged once this is over.
CREATE TABLE deny_marker (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  until_time timestamptz NOT NULL
);
--> statement-breakpoint
INSERT INTO deny_marker (until_time) VALUES (clock_timestamp());
