import {
  boolean,
  type ConfigOf,
  defineConfig,
  durationMs,
  durationS,
  integer,
  list,
  oneOf,
  platformVariables,
  port,
  text,
} from '@strongroom/platform/config';
import { type LockoutPolicy, lockoutProfiles } from './lockout/lockout.ts';

const yearS = 31_536_000;

export const authVariables = defineConfig({
  ...platformVariables,
  PORT: port({ default: 3001, doc: 'Port of the auth service.' }),
  FIRST_ADMIN_FILE: text({
    default: '.data/first-admin.json',
    maxLength: 1024,
    doc: 'Where the first administrator and its password are written, once, with mode 0600.',
  }),
  FIRST_ADMIN_EMAIL: text({
    default: 'admin@strongroom.local',
    maxLength: 255,
    doc: 'Address of the first administrator.',
  }),
  EMAIL_VERIFICATION: oneOf(['off', 'required'], {
    optional: true,
    doc: 'Left out: required in production, off elsewhere. off: registration answers with tokens and tells that an address is taken. required: it always answers alike.',
  }),
  PUBLIC_URL: text({
    default: 'http://127.0.0.1:3000',
    maxLength: 255,
    doc: 'Where people reach the system: the base of links in messages.',
  }),
  BCRYPT_COST: integer({ default: 12, min: 4, max: 16, doc: 'Cost of bcrypt; below 10 only in tests.' }),
  PASSWORD_WORKERS_MAX: integer({ default: 2, min: 1, max: 64, doc: 'Threads that hash passwords.' }),
  PASSWORD_QUEUE_MAX: integer({ default: 24, min: 1, max: 10_000, doc: 'Hashes that wait; one more is refused.' }),
  REFRESH_GRACE_MS: durationMs({
    default: 10_000,
    max: 60_000,
    doc: 'How long the refresh token just traded gets the same successor again, from the same fingerprint.',
  }),
  REFRESH_FINGERPRINT_MODE: oneOf(['flag', 'deny'], {
    default: 'flag',
    doc: 'Whether a refresh from another address or user agent is recorded or refused.',
  }),
  SESSION_IDLE_S: durationS({
    default: 1_209_600,
    min: 1,
    max: yearS,
    doc: 'A session unused so long ends (14 days).',
  }),
  SESSION_ABSOLUTE_S: durationS({ default: 2_592_000, min: 1, max: yearS, doc: 'A session ends after (30 days).' }),
  SESSION_LIMIT: integer({ default: 10, min: 1, max: 100, doc: 'Sessions of one user; the one least used ends.' }),
  LOCKOUT_PROFILE: oneOf(['default', 'pci'], { default: 'default', doc: '5 tries and 15 minutes, or 10 and 30.' }),
  LOCKOUT_MAX_ATTEMPTS: integer({ optional: true, min: 1, max: 100, doc: "In place of the profile's tries." }),
  LOCKOUT_WINDOW_S: durationS({ optional: true, min: 1, max: 86_400, doc: "In place of the profile's window." }),
  LOCKOUT_DURATION_S: durationS({ optional: true, min: 1, max: 86_400, doc: "In place of the profile's lock." }),
  LOGIN_SPRAY_ACCOUNTS: integer({
    default: 100,
    min: 2,
    max: 1_000_000,
    doc: 'Different addresses that fail within ten minutes before the detector trips.',
  }),
  CAPTCHA_MODE: oneOf(['off', 'after-failures', 'always'], {
    default: 'off',
    doc: 'When a proof of work is asked for.',
  }),
  CAPTCHA_COST: integer({
    default: 50_000,
    min: 1,
    max: 10_000_000,
    doc: 'Hashes that a proof of work takes at most.',
  }),
  MFA_REQUIRED_ROLES: list({
    optional: true,
    oneOf: ['CUSTOMER', 'VENDOR', 'ADMIN'],
    doc: 'Roles that must have a second factor. Left out: ADMIN in production, none elsewhere.',
  }),
  MFA_RECOVERY_DELAY_S: durationS({
    default: 259_200,
    max: yearS,
    doc: 'From approval to effect of a recovery (3 days).',
  }),
  MFA_ISSUER: text({ default: 'Strongroom', maxLength: 64, doc: 'Name in authenticator applications.' }),
  WEBAUTHN_RP_ID: text({ default: 'localhost', maxLength: 255, doc: 'Relying party id of passkeys: the host name.' }),
  WEBAUTHN_ORIGINS: list({ default: ['http://localhost:3000'], maxItems: 20, doc: 'Origins that passkeys come from.' }),
  DPOP_ORIGINS: list({
    default: ['http://127.0.0.1:3000', 'http://localhost:3000'],
    maxItems: 20,
    doc: 'Origins that a DPoP proof may name (htu): where people reach the system.',
  }),
  SIGNING_KEYS_KEPT_MAX: integer({ default: 10, min: 2, max: 100, doc: 'Keys kept after their tokens have ended.' }),
  SIGNING_KEY_LIFE_DAYS: integer({ default: 90, min: 1, max: 365, doc: 'Days that a key signs before the next.' }),
  DENY_MARKER_LEASE_MS: durationMs({
    default: 4_000,
    min: 2_000,
    max: 60_000,
    doc: 'How long Redis may say that it knows every revocation without hearing from auth; a revocation waits so long at most.',
  }),
  RETENTION_DAYS: integer({ default: 90, min: 1, max: 3650, doc: 'How long ended sessions are kept.' }),
  SIGN_IN_WITH_SHARED_SECRET: boolean({
    default: false,
    doc: 'Sign with the active entry of JWT_SECRETS, not Ed25519.',
  }),
});

export type AuthConfig = ConfigOf<typeof authVariables>;

/** Contract.md: registration answers alike for everyone in production, and tells more where that helps development. */
export function isEmailVerificationRequired(config: AuthConfig): boolean {
  return (config.EMAIL_VERIFICATION ?? (config.STRONGROOM_ENV === 'production' ? 'required' : 'off')) === 'required';
}

export function mfaRequiredRolesOf(config: AuthConfig): readonly string[] {
  return config.MFA_REQUIRED_ROLES ?? (config.STRONGROOM_ENV === 'production' ? ['ADMIN'] : []);
}

export function lockoutPolicyOf(config: AuthConfig): LockoutPolicy {
  const profile = lockoutProfiles[config.LOCKOUT_PROFILE];
  return {
    attemptsMax: config.LOCKOUT_MAX_ATTEMPTS ?? profile.attemptsMax,
    windowMs: config.LOCKOUT_WINDOW_S === undefined ? profile.windowMs : config.LOCKOUT_WINDOW_S * 1000,
    lockMs: config.LOCKOUT_DURATION_S === undefined ? profile.lockMs : config.LOCKOUT_DURATION_S * 1000,
  };
}
