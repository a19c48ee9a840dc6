import {
  boolean,
  type ConfigOf,
  defineConfig,
  durationMs,
  durationS,
  list,
  platformVariables,
  port,
  text,
  url,
} from '@strongroom/platform/config';

export const adminVariables = defineConfig({
  ...platformVariables,
  PORT: port({ default: 3003, doc: 'Port of the admin service.' }),
  AUDIT_DATABASE_URL: url({
    protocols: ['postgres:', 'postgresql:'],
    doc: "Database of the audit log, as the service's runtime role there.",
  }),
  AUDIT_KEYSTORE_DIR: text({
    default: '.data/audit-keys',
    maxLength: 1024,
    doc: 'Folder of the keys of personal data in the audit log; keep it out of backups that outlive an erasure.',
  }),
  LOG_KEY_FILE: text({
    default: '.data/audit-log.key',
    maxLength: 1024,
    doc: "The audit log's signing key, made at the first start; its public half is written to the same name with .pub.",
  }),
  LOG_ORIGIN: text({
    default: 'strongroom.local/audit',
    maxLength: 255,
    pattern: /^[^\s+]+$/,
    doc: 'Name of the audit log in its checkpoints: a schema-less URL. It never changes.',
  }),
  WITNESS_URL: url({
    optional: true,
    mayBeClear: true, // what goes there and comes back is public, and signed
    doc: 'Where the witness answers; with it, only cosigned checkpoints count.',
  }),
  WITNESS_KEY_FILE: text({
    default: '.data/witness/verifier-key.txt',
    maxLength: 1024,
    doc: "File with the witness's verifier key; needed with WITNESS_URL.",
  }),
  CHECKPOINT_INTERVAL_MS: durationMs({
    default: 1_000,
    min: 50,
    max: 600_000,
    doc: 'Pause between checkpoints of a growing log.',
  }),
  CHECKPOINT_HEARTBEAT_S: durationS({
    default: 300,
    min: 1,
    max: 86_400,
    doc: 'A log that has not grown gets a new checkpoint after so many seconds.',
  }),
  TLOG_PUBLIC: boolean({
    default: false,
    doc: 'Whether checkpoints and tiles (/tlog/) are given to anyone, not to administrators alone.',
  }),
  PUBLIC_URL: url({ optional: true, doc: 'Where people reach the system: the gateway whose health is asked.' }),
  RETENTION_INTERVAL_S: durationS({
    default: 3_600,
    min: 1,
    max: 86_400,
    doc: 'Pause between two looks for records past their retention.',
  }),
  GEOIP_DATABASE_FILE: text({
    optional: true,
    maxLength: 1024,
    doc: 'MaxMind-format database of cities or countries; unset, places are not judged.',
  }),
  ANOMALY_INTERVAL_MS: durationMs({
    default: 1_000,
    min: 50,
    max: 600_000,
    doc: 'Pause between two looks for anomalies.',
  }),
  ANOMALY_BLOCK_RULES: list({
    default: [],
    maxItems: 16,
    doc: 'Anomaly rules that suspend the account until an administrator lets it in again.',
  }),
  ANOMALY_STEP_UP_RULES: list({
    default: ['IMPOSSIBLE_TRAVEL', 'NEW_COUNTRY'],
    maxItems: 16,
    doc: 'Anomaly rules that end all sessions of the person, who must sign in again; all others only observe.',
  }),
});

export type AdminConfig = ConfigOf<typeof adminVariables>;

/** What an export reads: no master key, and the database only if it isn't the one of development. */
export const exportVariables = defineConfig({
  AUDIT_DATABASE_URL: url({
    protocols: ['postgres:', 'postgresql:'],
    optional: true,
    doc: 'Database of the audit log; unset, the one that npm start left in .data/engines.json.',
  }),
  LOG_KEY_FILE: adminVariables.LOG_KEY_FILE,
  LOG_ORIGIN: adminVariables.LOG_ORIGIN,
  WITNESS_URL: adminVariables.WITNESS_URL,
  WITNESS_KEY_FILE: adminVariables.WITNESS_KEY_FILE,
});
