import { ConnectError } from '@connectrpc/connect';
import { PgDialect } from 'drizzle-orm/pg-core';
import { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { PostgresJsSession, PostgresJsTransaction } from 'drizzle-orm/postgres-js/session';
import type postgres from 'postgres';
import type { ISql, Orm, Queryable, TransactionSql } from './types.ts';

const dialect = new PgDialect();

type AnySql = postgres.Sql;
type NoSchema = Record<string, never>;

type QueryParts = Parameters<PostgresJsSession<AnySql, NoSchema, NoSchema>['prepareQuery']>;

/**
 * drizzle wraps every error of a query; what the database package already made an answer is let through. And it has only
 * named queries prepared: here all are, which saves each a round trip. postgres.js knows them by their text.
 */
class Session extends PostgresJsSession<AnySql, NoSchema, NoSchema> {
  override prepareQuery(...[query, fields, name = '', ...rest]: QueryParts) {
    const prepared = super.prepareQuery(query, fields, name, ...rest);
    const execute = prepared.execute.bind(prepared);
    prepared.execute = (placeholders) => execute(placeholders).catch(unwrap);
    return prepared as never;
  }
}

function unwrap(error: unknown): never {
  if (error instanceof Error && error.cause instanceof ConnectError) throw error.cause;
  throw error;
}

/** drizzle over the given client, which must be one of `createClient`. */
export function createOrm(sql: ISql): Orm {
  const session = new Session(sql as unknown as AnySql, dialect, undefined, {});
  // biome-ignore lint/suspicious/noExplicitAny: drizzle keeps these parameters to itself.
  return new (PostgresJsDatabase as any)(dialect, session, undefined) as Orm;
}

/** drizzle on a transaction's connection; its `transaction` makes a savepoint. */
export function createTransactionOrm(sql: TransactionSql): Orm {
  const session = new Session(sql as unknown as AnySql, dialect, undefined, {});
  return new PostgresJsTransaction(dialect, session as never, undefined) as unknown as Orm;
}

/** For tools and tests with a client of their own: what stores take. Times come as that client parses them. */
export function queryableOver(sql: ISql): Queryable {
  return { sql, orm: createOrm(sql) };
}
