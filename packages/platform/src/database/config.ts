import type { ConfigOf } from '../config/load.ts';
import type { databaseVariables, engineVariables } from '../config/platform-variables.ts';

export type DatabaseConfig = Omit<ConfigOf<typeof databaseVariables>, 'DATABASE_URL'> &
  Partial<ConfigOf<typeof engineVariables>>;
