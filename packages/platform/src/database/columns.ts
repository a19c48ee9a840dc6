import { type SQL, sql } from 'drizzle-orm';
import { customType, type PgColumn, timestamp } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });

/** A timestamptz, as text both ways (`timestampToProto`, `protoToTimestamp`). */
export function instant(column: string) {
  return timestamp(column, { withTimezone: true, mode: 'string' });
}

/** The database's own clock, which goes on within a transaction: no process with a wrong one decides a time (F15). */
export const clockTime = sql<string>`clock_timestamp()`;

/** That clock, some seconds from now. */
export function clockTimeIn(seconds: number): SQL<string> {
  return sql<string>`clock_timestamp() + ${seconds}::int * interval '1 second'`;
}

/** As one array, so that the statement is the same for any number of values, and prepared once. */
export function isOneOf(column: PgColumn, values: readonly string[]): SQL {
  return sql`${column} = any(${sql.param([...values])})`;
}

/** Rows past a position in an order by these columns (keyset paging); without a position, all rows. */
export function isPast(
  position: readonly string[] | undefined,
  columns: readonly [PgColumn, PgColumn],
  order: 'ascending' | 'descending',
): SQL | undefined {
  const [first, second] = position ?? [];
  if (first === undefined || second === undefined) return undefined;
  const beyond = order === 'ascending' ? sql`>` : sql`<`;
  return sql`(${columns[0]}, ${columns[1]}) ${beyond} (${first}, ${second})`;
}
