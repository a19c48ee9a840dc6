import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

/** An id that need not be there, as the contract has it: empty. */
export function orEmpty(column: PgColumn): SQL<string> {
  return sql<string>`coalesce(${column}::text, '')`;
}

/** RFC 3339 in UTC with the microseconds that PostgreSQL keeps, the same on every read. */
export function utcText(time: PgColumn | SQL): SQL<string> {
  return sql<string>`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
