// Makes the five databases and their roles, and runs what migrations are new. `npm start` does this by itself.
import type { EngineUrls } from './engines/index.ts';
import { readJson } from './support/files.ts';
import { readOptions } from './support/options.ts';
import { migrateDatabases } from './system/databases.ts';
import { systemSecrets } from './system/secrets.ts';

const help = `Usage: node scripts/migrate.ts [--data DIR]

Makes the databases auth_db, payments_db, profile_db, admin_db and audit_db, each with an owner role (tables, migrations)
and a runtime role (rows only), and runs the migrations that are new. Runs at the same time or again do no harm.

  --data DIR   folder with secrets.json, the roles' passwords; made when it is missing (default .data)
  --help       this text

POSTGRES_URL names the server, as its superuser; else the one of DIR/engines.json is used.
`;

async function main(): Promise<void> {
  const values = readOptions(help, { data: { type: 'string', default: '.data' } });
  const engines = await readJson<EngineUrls>(`${values.data}/engines.json`);
  const superuserUrl = process.env['POSTGRES_URL'] ?? engines?.postgres.superuserUrl;
  if (superuserUrl === undefined) throw new Error('set POSTGRES_URL, or start the engines first (npm run engines).');
  const { roles } = await systemSecrets(values.data);
  await migrateDatabases(superuserUrl, roles, console.log);
}

main().catch((error: Error) => {
  console.error(`migrate: ${error.message}`);
  process.exitCode = 1;
});
