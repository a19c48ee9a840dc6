import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import type { Deadline } from '../telemetry/context.ts';
import type { Act } from './act.ts';

type Types = { bigint: bigint };

/** postgres.js, to write statements with: parameters are never part of the text. */
export type ISql = postgres.ISql<Types>;
export type TransactionSql = postgres.TransactionSql<Types>;
export type Orm = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

/** What a store takes as its first argument, whether or not there is a transaction. */
export interface Queryable {
  readonly sql: ISql;
  readonly orm: Orm;
}

export interface Transaction extends Queryable {
  readonly sql: TransactionSql;
  readonly act: Act;
  readonly deadline: Deadline | undefined;
}

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

export interface TransactionOptions {
  readonly isolation?: IsolationLevel;
  readonly readOnly?: boolean;
  /** When the caller stops waiting; that of the current request when left out. */
  readonly deadline?: Deadline;
  /** Tells nobody of the write: for the outbox' own housekeeping, which would wake itself. */
  readonly isQuiet?: boolean;
}

export interface PoolState {
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  readonly total: number;
  readonly max: number;
}

export interface Database extends Queryable {
  readonly name: string;
  transaction<T>(act: Act, work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Throws while the database can't be used: for health checks. */
  check(): Promise<void>;
  /** Told after each write that was committed here: wakes the outbox' relay without a NOTIFY. */
  onWrite(listener: () => void): void;
  pool(): PoolState;
  /** Takes no new work, waits for work in flight, closes. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
