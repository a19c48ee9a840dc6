import type { ISql } from '@strongroom/platform/database';

/** What a store takes first: the database, or the transaction that its statements are part of. */
export interface Queries {
  readonly sql: ISql;
}
