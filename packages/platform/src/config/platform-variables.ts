import {
  boolean,
  durationMs,
  durationS,
  file,
  integer,
  keyBytes,
  list,
  oneOf,
  port,
  secret,
  text,
  url,
} from './kinds.ts';
import { defineConfig } from './load.ts';

/** Who and where a process is. */
export const processVariables = defineConfig({
  STRONGROOM_ENV: oneOf(['development', 'test', 'production'], {
    default: 'production',
    doc: 'What the process is for. Production refuses default and weak secrets, failpoints and calls in clear.',
  }),
  HOST: text({ default: '127.0.0.1', maxLength: 255, doc: 'Address that the process listens on.' }),
  METRICS_HOST: text({
    default: '127.0.0.1',
    maxLength: 255,
    doc: 'Address that the metrics are served on: loopback, or one of a network that only the scraper reaches.',
  }),
  METRICS_PORT: port({ default: 0, doc: 'Port of the metrics; 0 takes a free one.' }),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    doc: 'Least severe level that is logged.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: url({
    optional: true,
    doc: 'Where traces go by OTLP; unset keeps them in the process.',
  }),
  STRONGROOM_FAILPOINTS: text({
    default: '',
    doc: 'Faults for tests, as name=kill|throw|delay:MS; refused in production.',
  }),
  SHUTDOWN_TIMEOUT_MS: durationMs({ default: 10_000, min: 100, doc: 'Longest wait for work in flight after SIGTERM.' }),
});

/** Identity of the process towards the others, and where those are. */
export const meshVariables = defineConfig({
  TLS_CA_FILE: file({ optional: true, doc: 'Certificate authority of the service identities (PEM).' }),
  TLS_CERT_FILE: file({ optional: true, doc: 'Certificate of this service, with its SPIFFE id (PEM).' }),
  TLS_KEY_FILE: file({ optional: true, doc: 'Private key of this service (PEM).' }),
  TLS_CRL_FILE: file({
    optional: true,
    doc: 'Certificates that the authority has revoked (a CRL, PEM). Out of date, it lets nobody in.',
  }),
  AUTH_URL: url({ default: 'https://127.0.0.1:3001', doc: 'Where auth answers.' }),
  PAYMENTS_URL: url({ default: 'https://127.0.0.1:3002', doc: 'Where payments answers.' }),
  ADMIN_URL: url({ default: 'https://127.0.0.1:3003', doc: 'Where admin answers.' }),
  PROFILE_URL: url({ default: 'https://127.0.0.1:3004', doc: 'Where profile answers.' }),
  TOKEN_ISSUER: text({ default: 'https://strongroom.local', maxLength: 255, doc: 'Issuer (iss) of access tokens.' }),
  TOKEN_AUDIENCE: text({ default: 'strongroom', maxLength: 255, doc: 'Audience (aud) of access tokens.' }),
  JWT_SECRET: secret({
    optional: true,
    minBytes: 32,
    doc: 'A shared secret (HS256, kid "default") whose tokens are still accepted; the same for all processes.',
  }),
  JWT_SECRETS: secret({
    optional: true,
    minBytes: 2,
    doc: 'More of them: JSON list of {kid, secret, isActive, canVerify}. Whoever holds one can sign.',
  }),
  DIRECT_ACCESS: oneOf(['loopback', 'off'], {
    optional: true,
    doc: 'Whether calls in clear are taken on loopback; off in production, loopback elsewhere.',
  }),
});

export const engineVariables = defineConfig({
  ENGINES_CA_FILE: file({
    optional: true,
    doc: 'Authority that PostgreSQL, Redis and NATS have their certificates from (PEM); left out, those that Node knows.',
  }),
});

/** PostgreSQL (S4.1, S4.2). */
export const databaseVariables = defineConfig({
  DATABASE_URL: url({ protocols: ['postgres:', 'postgresql:'], doc: 'Database of the service, as its runtime role.' }),
  DB_POOL_MAX_CONNECTIONS: integer({ default: 10, min: 1, max: 500, doc: 'Most connections of one process.' }),
  DB_POOL_WAIT_MS: durationMs({ default: 2_000, min: 1, max: 60_000, doc: 'Longest wait for a free connection.' }),
  DB_CONNECTION_TIMEOUT: durationS({ default: 30, min: 1, max: 300, doc: 'Longest time to connect, in seconds.' }),
  DB_POOL_TIMEOUT: durationS({ default: 600, min: 1, max: 86_400, doc: 'Idle connections close after, in seconds.' }),
  DB_QUERY_TIMEOUT_MS: durationMs({ default: 10_000, min: 1, max: 600_000, doc: 'statement_timeout of the server.' }),
  DB_LOCK_TIMEOUT_MS: durationMs({ default: 3_000, min: 1, max: 600_000, doc: 'lock_timeout of the server.' }),
  DB_IDLE_TRANSACTION_TIMEOUT_MS: durationMs({
    default: 15_000,
    min: 1,
    max: 600_000,
    doc: 'idle_in_transaction_session_timeout of the server.',
  }),
  DB_SLOW_QUERY_THRESHOLD_MS: durationMs({ default: 1_000, min: 0, doc: 'Queries that take longer are logged.' }),
  DB_ENABLE_QUERY_METRICS: boolean({ default: true, doc: 'Statistics by table and action.' }),
  DB_ENABLE_SLOW_QUERY_LOGGING: boolean({ default: true, doc: 'Log slow queries, without their parameters.' }),
});

export const redisVariables = defineConfig({
  REDIS_URL: url({ protocols: ['redis:', 'rediss:'], default: 'redis://127.0.0.1:6379', doc: 'Redis.' }),
});

export const busVariables = defineConfig({
  NATS_URL: url({ protocols: ['nats:', 'tls:'], default: 'nats://127.0.0.1:4222', doc: 'NATS with JetStream.' }),
});

/** Sealing of fields and of ENC[…] values (S3.3a, S4.3). */
export const encryptionVariables = defineConfig({
  ENCRYPTION_MASTER_KEY: keyBytes({ doc: 'Master key; the start script makes one in development.' }),
  ENCRYPTION_KEY_ID: text({ default: 'local-1', pattern: /^[A-Za-z0-9._-]{1,64}$/, doc: 'Id of the master key.' }),
  ENCRYPTION_PREVIOUS_KEYS: secret({ optional: true, doc: 'Older master keys that still open: id:key,id:key.' }),
  NOTICE_KEY: keyBytes({
    optional: true,
    doc: 'Seals notices on their way to profile; the same for all services. Left out, the master key must be.',
  }),
  ENCRYPTION_CACHE_TTL_S: durationS({
    default: 0,
    max: 86_400,
    doc: 'How long opened ENC[…] values are kept; 0: not.',
  }),
  AWS_KMS_KEY_ID: text({ optional: true, maxLength: 2_048, doc: 'Key that seals ENC[awskms:…] values.' }),
  AWS_KMS_ENDPOINT: url({ optional: true, doc: "Endpoint of the KMS, where it isn't the region's own." }),
  AWS_REGION: text({ optional: true, maxLength: 64, doc: 'Region of the KMS.' }),
});

/** Degraded reads (S5.3). */
export const staleReadVariables = defineConfig({
  STALE_READ_TTL_S: durationS({
    default: 300,
    min: 0,
    max: 86_400,
    doc: 'How long reads are kept for outages, in seconds.',
  }),
});

/** Rate limits (S1.1a, S1.1b). */
export const limitVariables = defineConfig({
  RATE_LIMIT_GENERAL_MAX: integer({ default: 100, min: 1, doc: 'Requests a window of the general API.' }),
  RATE_LIMIT_AUTH_MAX: integer({ default: 5, min: 1, doc: 'Sign-ins and the like a window, by address and agent.' }),
  RATE_LIMIT_AUTH_ADDRESS_MAX: integer({ default: 20, min: 1, doc: 'The same by address alone.' }),
  RATE_LIMIT_REFRESH_MAX: integer({ default: 60, min: 1, doc: 'Refreshes a window and session.' }),
  RATE_LIMIT_SERVICE_MAX: integer({ default: 100, min: 1, doc: 'Requests a window and caller at a service.' }),
  RATE_LIMIT_WINDOW_S: durationS({ default: 900, min: 1, doc: 'Length of the window, in seconds.' }),
  TRUSTED_PROXIES: list({ default: [], maxItems: 64, doc: 'Proxies (CIDR) whose X-Forwarded-For counts.' }),
});

/** What every service shares; a service spreads it into its own schema. The gateway leaves the database out. */
export const platformVariables = defineConfig({
  ...processVariables,
  ...meshVariables,
  ...engineVariables,
  ...databaseVariables,
  ...redisVariables,
  ...busVariables,
  ...encryptionVariables,
  ...limitVariables,
});
