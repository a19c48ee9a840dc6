import { encryptedText } from '@strongroom/platform/crypto';
import { bytea, clockTime, instant } from '@strongroom/platform/database';
import { bigint, boolean, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { Ed25519Jwk } from './secret/signing-key.ts';
import type { RevokeReason } from './session/session.ts';

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    /** Null once erased. */
    email: text('email'),
    name: text('name').notNull(),
    role: text('role', { enum: ['CUSTOMER', 'VENDOR', 'ADMIN'] }).notNull(),
    status: text('status', { enum: ['ACTIVE', 'SUSPENDED', 'DELETED'] }).notNull(),
    emailVerified: boolean('email_verified').notNull().default(false),
    /** Null until the invitation is taken up. */
    passwordHash: text('password_hash'),
    passwordChangeRequired: boolean('password_change_required').notNull().default(false),
    tokensNotBefore: instant('tokens_not_before'),
    createTime: instant('create_time').notNull().default(clockTime),
    updateTime: instant('update_time').notNull().default(clockTime),
    version: bigint('version', { mode: 'bigint' }).notNull().default(1n),
  },
  (table) => [uniqueIndex('users_email').on(table.email)],
);

const userId = () => uuid('user_id').references(() => users.id);

export const sessions = pgTable('sessions', {
  id: uuid('id').primaryKey(),
  userId: userId().notNull(),
  /** Sealed; the row id is the session's. */
  refreshKey: bytea('refresh_key').notNull(),
  generation: integer('generation').notNull().default(0),
  fingerprint: bytea('fingerprint').notNull(),
  userAgent: text('user_agent').notNull(),
  ipAddress: text('ip_address').notNull(),
  deviceId: text('device_id').notNull().default(''),
  authenticationMethods: text('authentication_methods').array().notNull(),
  authenticationTime: instant('authentication_time').notNull().default(clockTime),
  keyThumbprint: text('key_thumbprint'),
  createTime: instant('create_time').notNull().default(clockTime),
  lastUsedTime: instant('last_used_time').notNull().default(clockTime),
  rotateTime: instant('rotate_time').notNull().default(clockTime),
  idleExpireTime: instant('idle_expire_time').notNull(),
  expireTime: instant('expire_time').notNull(),
  revokeTime: instant('revoke_time'),
  revokeReason: text('revoke_reason').$type<RevokeReason>(),
});

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    generation: integer('generation').notNull(),
    tokenHash: bytea('token_hash').notNull().unique(),
    fingerprint: bytea('fingerprint').notNull(),
    issueTime: instant('issue_time').notNull().default(clockTime),
    useTime: instant('use_time'),
    revoked: boolean('revoked').notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.generation] })],
);

export const revocations = pgTable('revocations', {
  id: uuid('id').primaryKey(),
  kind: text('kind', { enum: ['jti', 'sid', 'usr'] }).notNull(),
  subject: text('subject').notNull(),
  notBefore: instant('not_before').notNull().default(clockTime),
  expireTime: instant('expire_time').notNull(),
  applyTime: instant('apply_time'),
});

/** One row: until when, at the latest, the marker in Redis may say that Redis knows every revocation. */
export const denyMarker = pgTable('deny_marker', {
  isOnly: boolean('is_only').primaryKey().default(true),
  untilTime: instant('until_time').notNull(),
});

export const knownDevices = pgTable('known_devices', {
  id: uuid('id').primaryKey(),
  userId: userId().notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
  lastUsedTime: instant('last_used_time').notNull().default(clockTime),
  revokeTime: instant('revoke_time'),
});

export const lockouts = pgTable('lockouts', {
  key: bytea('key').primaryKey(),
  kind: text('kind', { enum: ['email', 'device', 'otp', 'password'] }).notNull(),
  attemptTimes: instant('attempt_times').array().notNull().default([]),
  ipAddresses: text('ip_addresses').array().notNull().default([]),
  retryTime: instant('retry_time'),
  lockTime: instant('lock_time'),
  unlockTime: instant('unlock_time'),
  updateTime: instant('update_time').notNull().default(clockTime),
  mirrorStale: boolean('mirror_stale').notNull().default(false),
});

export const messageTokens = pgTable('message_tokens', {
  tokenHash: bytea('token_hash').primaryKey(),
  userId: userId().notNull(),
  purpose: text('purpose', { enum: ['verify-email', 'password-reset', 'invitation', 'recovery-cancel'] }).notNull(),
  emailHash: bytea('email_hash').notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
  expireTime: instant('expire_time').notNull(),
  useTime: instant('use_time'),
});

export const mfaChallenges = pgTable('mfa_challenges', {
  idHash: bytea('id_hash').primaryKey(),
  userId: userId().notNull(),
  passkeyChallenge: text('passkey_challenge'),
  keyThumbprint: text('key_thumbprint'),
  failedAttempts: integer('failed_attempts').notNull().default(0),
  createTime: instant('create_time').notNull().default(clockTime),
  expireTime: instant('expire_time').notNull(),
  useTime: instant('use_time'),
  knownDeviceId: uuid('known_device_id'),
  failuresBefore: integer('failures_before').notNull().default(0),
});

/** The row id of sealed columns is the user's id. */
export const totpFactors = pgTable('totp_factors', {
  userId: userId().primaryKey(),
  seed: encryptedText('seed'),
  lastStep: bigint('last_step', { mode: 'number' }).notNull().default(0),
  pendingSeed: encryptedText('pending_seed'),
  pendingExpireTime: instant('pending_expire_time'),
  createTime: instant('create_time').notNull().default(clockTime),
  confirmTime: instant('confirm_time'),
});

export const backupCodes = pgTable(
  'backup_codes',
  {
    userId: userId().notNull(),
    codeHash: bytea('code_hash').notNull(),
    createTime: instant('create_time').notNull().default(clockTime),
    useTime: instant('use_time'),
  },
  (table) => [primaryKey({ columns: [table.userId, table.codeHash] })],
);

export const passkeys = pgTable('passkeys', {
  id: uuid('id').primaryKey(),
  userId: userId().notNull(),
  credentialId: bytea('credential_id').notNull().unique(),
  publicKey: bytea('public_key').notNull(),
  signCount: bigint('sign_count', { mode: 'bigint' }).notNull(),
  transports: text('transports').array().notNull().default([]),
  name: text('name').notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
  lastUsedTime: instant('last_used_time'),
});

export const passkeyChallenges = pgTable('passkey_challenges', {
  idHash: bytea('id_hash').primaryKey(),
  purpose: text('purpose', { enum: ['register', 'login', 'step-up'] }).notNull(),
  /** Null where a passkey alone says who signs in. */
  userId: userId(),
  challenge: text('challenge').notNull(),
  expireTime: instant('expire_time').notNull(),
  useTime: instant('use_time'),
});

export const mfaRecoveries = pgTable('mfa_recoveries', {
  id: uuid('id').primaryKey(),
  userId: userId().notNull(),
  state: text('state', { enum: ['REQUESTED', 'APPROVED', 'COMPLETED', 'CANCELLED'] }).notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
  approveTime: instant('approve_time'),
  approverId: uuid('approver_id').references(() => users.id),
  approveReason: text('approve_reason').notNull().default(''),
  effectiveTime: instant('effective_time'),
  endTime: instant('end_time'),
  expireTime: instant('expire_time').notNull(),
});

export const signingKeys = pgTable('signing_keys', {
  kid: text('kid').primaryKey(),
  algorithm: text('algorithm', { enum: ['EdDSA'] }).notNull(),
  publicJwk: jsonb('public_jwk').$type<Ed25519Jwk>().notNull(),
  /** PKCS #8 in PEM, sealed by the keyring. */
  privateKey: bytea('private_key').notNull(),
  active: boolean('active').notNull(),
  canVerify: boolean('can_verify').notNull().default(true),
  createTime: instant('create_time').notNull().default(clockTime),
  signFromTime: instant('sign_from_time').notNull(),
  expireTime: instant('expire_time').notNull(),
  retireTime: instant('retire_time'),
  verifyUntilTime: instant('verify_until_time'),
});

export const secretRotations = pgTable('secret_rotations', {
  id: uuid('id').primaryKey(),
  oldKid: text('old_kid'),
  newKid: text('new_kid').notNull(),
  actorId: uuid('actor_id'),
  reason: text('reason').notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
});

export const usedProofs = pgTable('used_proofs', {
  hash: bytea('hash').primaryKey(),
  expireTime: instant('expire_time').notNull(),
});
