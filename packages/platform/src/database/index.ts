export { type Act, type ActorKind, serviceAct } from './act.ts';
export { actCte, actSettings, rowActSettings } from './act-settings.ts';
export { bytea, clockTime, clockTimeIn, instant, isOneOf, isPast } from './columns.ts';
export type { DatabaseConfig } from './config.ts';
export { createDatabase, type DatabaseOptions } from './database.ts';
export { DurabilityError } from './durability.ts';
export { isRetryable, isUniqueViolation, sqlState, toCallerError, violatedConstraint } from './errors.ts';
export { type MigrateOptions, migrateDatabase, platformMigrations } from './migrate.ts';
export { queryableOver } from './orm.ts';
export { onlyRow } from './rows.ts';
export {
  optionalTimestampToProto,
  protoToTimestamp,
  timestampToDate,
  timestampToProto,
} from './timestamps.ts';
export type {
  Database,
  ISql,
  IsolationLevel,
  Orm,
  PoolState,
  Queryable,
  Transaction,
  TransactionOptions,
  TransactionSql,
} from './types.ts';
export { type WriteAuditOptions, writeAudit } from './write-audit.ts';
