-- What the password's step knew, for the second factor's: the device it came from, if the owner knows it, and how many
-- failures went before (S1.3e).
ALTER TABLE mfa_challenges
  ADD COLUMN known_device_id uuid,
  ADD COLUMN failures_before integer NOT NULL DEFAULT 0;
