import type { ConfigOf } from '../config/load.ts';
import type { databaseVariables } from '../config/platform-variables.ts';

export type DatabaseConfig = Omit<ConfigOf<typeof databaseVariables>, 'DATABASE_URL'>;
