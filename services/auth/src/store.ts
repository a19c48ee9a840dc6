import type { Queryable } from '@strongroom/platform/database';

/** What a store needs: a transaction, or the database where no transaction is needed. */
export type Executor = Queryable;

/** The first row of a statement that answers at most one. */
export function firstRow<T>(rows: readonly unknown[]): T | undefined {
  return rows[0] as T | undefined;
}
