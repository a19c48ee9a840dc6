-- Users, sessions, second factors, lockouts and signing keys. Times are the database's own (clock_timestamp()), so that
-- a service with a wrong clock can't revive what ended (F15). Hashes and sealed values are bytea.

CREATE TABLE users (
  id uuid PRIMARY KEY,
  -- As shown to its owner. The contract's treatment has already case-folded it. Null once erased.
  email text,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('CUSTOMER', 'VENDOR', 'ADMIN')),
  status text NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETED')),
  email_verified boolean NOT NULL DEFAULT false,
  -- Null until the invitation is taken up.
  password_hash text,
  password_change_required boolean NOT NULL DEFAULT false,
  -- Access tokens issued before this second are refused (older fault 9: an instant, not a flag).
  tokens_not_before timestamptz,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  update_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  version bigint NOT NULL DEFAULT 1,
  CHECK ((status = 'DELETED') = (email IS NULL)),
  CHECK (email IS NULL OR email = lower(email))
);
--> statement-breakpoint
CREATE UNIQUE INDEX users_email ON users (email);
--> statement-breakpoint
CREATE INDEX users_create_time ON users (create_time, id);
--> statement-breakpoint
CREATE INDEX users_active_admins ON users (id) WHERE role = 'ADMIN' AND status = 'ACTIVE';
--> statement-breakpoint

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  -- Key of this session's refresh tokens (S1.2b), sealed by the keyring.
  refresh_key bytea NOT NULL,
  -- Counter of the one refresh token that is unused.
  generation integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
  -- SHA-256 over address and user agent of whoever made the current generation.
  fingerprint bytea NOT NULL,
  user_agent text NOT NULL,
  ip_address text NOT NULL,
  device_id text NOT NULL DEFAULT '',
  authentication_methods text[] NOT NULL,
  authentication_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- JWK thumbprint that its tokens are bound to (RFC 9449), if they are.
  key_thumbprint text,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the generation before was traded: the start of the grace period.
  rotate_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Moves with each use; never past expire_time.
  idle_expire_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  revoke_time timestamptz,
  revoke_reason text
);
--> statement-breakpoint
CREATE INDEX sessions_live ON sessions (user_id, last_used_time DESC, id) WHERE revoke_time IS NULL;
--> statement-breakpoint
CREATE INDEX sessions_expire_time ON sessions (expire_time);
--> statement-breakpoint

-- Every refresh token ever issued, for audit; stored as a hash alone (S1.2a, older fault 12).
CREATE TABLE refresh_tokens (
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  generation integer NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  fingerprint bytea NOT NULL,
  issue_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When it was traded for the next; null for the one that is unused.
  use_time timestamptz,
  revoked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (session_id, generation)
);
--> statement-breakpoint

-- What access tokens are refused although they verify: truth for the deny keys in Redis (S1.2c).
CREATE TABLE revocations (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('jti', 'sid', 'usr')),
  subject text NOT NULL,
  not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- After this no token that it concerns is alive.
  expire_time timestamptz NOT NULL,
  -- When Redis got it; null means Redis may not say that it knows every revocation.
  apply_time timestamptz
);
--> statement-breakpoint
CREATE INDEX revocations_pending ON revocations (id) WHERE apply_time IS NULL;
--> statement-breakpoint
CREATE INDEX revocations_subject ON revocations (kind, subject);
--> statement-breakpoint
CREATE INDEX revocations_expire_time ON revocations (expire_time);
--> statement-breakpoint

CREATE TABLE known_devices (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoke_time timestamptz
);
--> statement-breakpoint
CREATE INDEX known_devices_user ON known_devices (user_id, last_used_time DESC);
--> statement-breakpoint

-- Durable copy of guessing state: Redis flushed or down neither unlocks nor lets a guess by (F7, F8).
CREATE TABLE lockouts (
  -- SHA-256 of what is guessed at: an address, a known device, or a user's second factor.
  key bytea PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('email', 'device', 'otp', 'password')),
  -- Attempts within the window that are wrong or not yet answered.
  attempt_times timestamptz[] NOT NULL DEFAULT '{}',
  ip_addresses text[] NOT NULL DEFAULT '{}',
  retry_time timestamptz,
  lock_time timestamptz,
  unlock_time timestamptz,
  update_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Set when Redis holds an older state than this row and couldn't be told.
  mirror_stale boolean NOT NULL DEFAULT false
);
--> statement-breakpoint
CREATE INDEX lockouts_mirror_stale ON lockouts (key) WHERE mirror_stale;
--> statement-breakpoint
CREATE INDEX lockouts_update_time ON lockouts (update_time);
--> statement-breakpoint

-- Tokens that travel in messages: 32 random bytes, stored as a hash, single use, expiring.
CREATE TABLE message_tokens (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  purpose text NOT NULL CHECK (purpose IN ('verify-email', 'password-reset', 'invitation', 'recovery-cancel')),
  -- SHA-256 of the address that it was sent to: a changed address voids it.
  email_hash bytea NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  expire_time timestamptz NOT NULL,
  use_time timestamptz
);
--> statement-breakpoint
CREATE INDEX message_tokens_user ON message_tokens (user_id, purpose);
--> statement-breakpoint
CREATE INDEX message_tokens_expire_time ON message_tokens (expire_time);
--> statement-breakpoint

-- What stands between a right password and tokens. The id is 32 random bytes, stored as a hash.
CREATE TABLE mfa_challenges (
  id_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  passkey_challenge text,
  key_thumbprint text,
  failed_attempts integer NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  expire_time timestamptz NOT NULL,
  use_time timestamptz
);
--> statement-breakpoint
CREATE INDEX mfa_challenges_user ON mfa_challenges (user_id);
--> statement-breakpoint
CREATE INDEX mfa_challenges_expire_time ON mfa_challenges (expire_time);
--> statement-breakpoint

CREATE TABLE totp_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id),
  -- Seed in use, sealed; null while the first enrolment waits for its proof.
  seed bytea,
  -- Step of the last code accepted: each step counts once (RFC 6238 section 5.2).
  last_step bigint NOT NULL DEFAULT 0,
  -- Seed that waits for ConfirmTotp, sealed.
  pending_seed bytea,
  pending_expire_time timestamptz,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  confirm_time timestamptz
);
--> statement-breakpoint

CREATE TABLE backup_codes (
  user_id uuid NOT NULL REFERENCES users (id),
  -- HMAC-SHA-256 under a key of the keyring over a code of 80 random bits or more.
  code_hash bytea NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  use_time timestamptz,
  PRIMARY KEY (user_id, code_hash)
);
--> statement-breakpoint

CREATE TABLE passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  credential_id bytea NOT NULL UNIQUE,
  public_key bytea NOT NULL,
  sign_count bigint NOT NULL,
  transports text[] NOT NULL DEFAULT '{}',
  name text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_time timestamptz
);
--> statement-breakpoint
CREATE INDEX passkeys_user ON passkeys (user_id);
--> statement-breakpoint

CREATE TABLE passkey_challenges (
  id_hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('register', 'login', 'step-up')),
  user_id uuid REFERENCES users (id),
  challenge text NOT NULL,
  expire_time timestamptz NOT NULL,
  use_time timestamptz
);
--> statement-breakpoint
CREATE INDEX passkey_challenges_user ON passkey_challenges (user_id, purpose);
--> statement-breakpoint
CREATE INDEX passkey_challenges_expire_time ON passkey_challenges (expire_time);
--> statement-breakpoint

CREATE TABLE mfa_recoveries (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  state text NOT NULL CHECK (state IN ('REQUESTED', 'APPROVED', 'COMPLETED', 'CANCELLED')),
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  approve_time timestamptz,
  approver_id uuid REFERENCES users (id),
  approve_reason text NOT NULL DEFAULT '',
  effective_time timestamptz,
  end_time timestamptz,
  -- A request that nobody approves ends by itself.
  expire_time timestamptz NOT NULL
);
--> statement-breakpoint
-- One open recovery a user.
CREATE UNIQUE INDEX mfa_recoveries_open ON mfa_recoveries (user_id) WHERE state IN ('REQUESTED', 'APPROVED');
--> statement-breakpoint
CREATE INDEX mfa_recoveries_due ON mfa_recoveries (effective_time) WHERE state = 'APPROVED';
--> statement-breakpoint

CREATE TABLE signing_keys (
  kid text PRIMARY KEY,
  algorithm text NOT NULL CHECK (algorithm = 'EdDSA'),
  public_jwk jsonb NOT NULL,
  -- PKCS #8 in PEM, sealed.
  private_key bytea NOT NULL,
  active boolean NOT NULL,
  can_verify boolean NOT NULL DEFAULT true,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Published before it signs, so that no verifier meets a token whose key it could not have known.
  sign_from_time timestamptz NOT NULL,
  -- When it must stop signing.
  expire_time timestamptz NOT NULL,
  -- When it stopped signing, and until when its tokens are accepted.
  retire_time timestamptz,
  verify_until_time timestamptz
);
--> statement-breakpoint
-- One signs.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (active) WHERE active;
--> statement-breakpoint

CREATE TABLE secret_rotations (
  id uuid PRIMARY KEY,
  old_kid text,
  new_kid text NOT NULL,
  actor_id uuid,
  reason text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX secret_rotations_create_time ON secret_rotations (create_time DESC, id DESC);
--> statement-breakpoint

-- Values that count once: DPoP proofs (RFC 9449 section 11.1) and solved proofs of work.
CREATE TABLE used_proofs (
  hash bytea PRIMARY KEY,
  expire_time timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX used_proofs_expire_time ON used_proofs (expire_time);
