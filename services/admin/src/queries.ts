import type { Database } from '@strongroom/platform/database';

/** What a store needs: the database itself, or the transaction it must be part of. */
export type Queries = Pick<Database, 'sql'>;
