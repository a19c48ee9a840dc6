import type { Database } from '../database/index.ts';

/** Well below the 30 s by which clocks may differ before tokens are judged wrongly (F14). */
const differenceMaxMs = 5_000;

/** Why the host's clock is not to be trusted, by the database's: tokens, limits and records hang on both (ASVS V16.2.2). */
export function createClockCheck(database: Pick<Database, 'sql'>, now: () => number = Date.now) {
  return async (): Promise<string | undefined> => {
    const beforeMs = now();
    const [row] = await database.sql<{ timeMs: number }[]>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as "timeMs"`;
    const timeMs = row?.timeMs ?? Number.NaN;
    // The answer was made at some moment in between.
    const differenceMs = Math.max(beforeMs - timeMs, timeMs - now());
    if (differenceMs <= differenceMaxMs) return undefined;
    return `the clock differs from the database's by ${Math.round(differenceMs / 1_000)} s`;
  };
}
