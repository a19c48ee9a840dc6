import { migrationsOf, runMigrations } from '../database/migrations.ts';
import { type ProvisionedDatabase, provisionDatabase } from '../database/provision.ts';
import { type DatabaseName, databaseNames, type Log } from '../support/names.ts';
import type { SystemSecrets } from './secrets.ts';

export type SystemDatabases = Readonly<Record<DatabaseName, ProvisionedDatabase>>;

/** Makes the five databases and their roles where they are missing, and runs what migrations are new. */
export async function migrateDatabases(
  superuserUrl: string,
  roles: SystemSecrets['roles'],
  log: Log,
): Promise<SystemDatabases> {
  const made: Partial<Record<DatabaseName, ProvisionedDatabase>> = {};
  let count = 0;
  for (const name of databaseNames) {
    const database = await provisionDatabase(superuserUrl, { name, database: `${name}_db`, passwords: roles[name] });
    count += await runMigrations(database.ownerUrl, migrationsOf(name));
    made[name] = database;
  }
  log(count === 0 ? 'databases are up to date' : `databases: ${count} migrations`);
  return made as SystemDatabases;
}
