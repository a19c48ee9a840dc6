import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { withLock } from './provision.ts';

export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** One migrates at a time, others wait and then find nothing to do (F40). */
const migrationLock = 7_203_412;

export interface MigrationSet {
  /** Absolute path of a folder that drizzle-kit wrote (or that has its journal). */
  readonly folder: string;
  /** Where drizzle notes what it has run; one table for each set, because their numbers are independent. */
  readonly table: string;
}

/** In this order: what every service shares (outbox, write audit), then the service's own tables. */
export function migrationsOf(name: string): MigrationSet[] {
  const own = name === 'audit' ? 'services/admin/migrations-audit' : `services/${name}/migrations`;
  const shared = name === 'audit' ? [] : [{ folder: 'packages/platform/migrations', table: 'platform_migrations' }];
  return [...shared, { folder: own, table: 'service_migrations' }]
    .map(({ folder, table }) => ({ folder: join(repositoryRoot, folder), table }))
    .filter(({ folder }) => existsSync(join(folder, 'meta', '_journal.json')));
}

/** Runs what isn't yet run, as the owner role, and answers how many migrations that were. */
export async function runMigrations(ownerUrl: string, sets: readonly MigrationSet[]): Promise<number> {
  // A client of its own: drizzle rewrites the serializers of the one that it is given.
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => undefined });
  try {
    return await withLock(sql, migrationLock, async () => {
      const before = await countRun(sql, sets);
      for (const set of sets) await requireUnchanged(sql, set);
      for (const { folder, table } of sets) {
        await migrate(drizzle(sql), { migrationsFolder: folder, migrationsTable: table }).catch((error: Error) => {
          const where = relative(repositoryRoot, folder);
          const cause = error.cause instanceof Error ? error.cause.message : error.message;
          throw new Error(`A migration of ${where} failed: ${cause}`, { cause: error });
        });
      }
      return (await countRun(sql, sets)) - before;
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** drizzle only looks at what is new: a migration that was edited after it ran would leave tables that nobody expects. */
async function requireUnchanged(sql: postgres.Sql, { folder, table }: MigrationSet): Promise<void> {
  if (!(await hasTable(sql, table))) return;
  const hashes = new Map(
    readMigrationFiles({ migrationsFolder: folder }).map((file) => [file.folderMillis, file.hash]),
  );
  const run = await sql`select hash, created_at::text as time from drizzle.${sql(table)} order by created_at`;
  const changed = run.filter((row) => hashes.get(Number(row['time'])) !== row['hash']);
  if (changed.length === 0) return;
  throw new Error(
    `The database has run ${changed.length} migrations of ${relative(repositoryRoot, folder)} that are not those of this version. ` +
      'A development database is made anew by npm run stop, then rm -r .data; any other one needs the version that made it.',
  );
}

/** Changes whenever a file of a set does: names the template that test databases are copied from. */
export function migrationsHash(sets: readonly MigrationSet[]): string {
  const hash = createHash('sha256');
  for (const { folder, table } of sets) {
    hash.update(table);
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.sql')) hash.update(file).update(readFileSync(join(folder, file)));
    }
    hash.update(readFileSync(join(folder, 'meta', '_journal.json')));
  }
  return hash.digest('hex').slice(0, 16);
}

async function countRun(sql: postgres.Sql, sets: readonly MigrationSet[]): Promise<number> {
  let count = 0;
  for (const { table } of sets) {
    if (!(await hasTable(sql, table))) continue;
    const [row] = await sql`select count(*)::int as run from ${sql(`drizzle.${table}`)}`;
    count += Number(row?.['run'] ?? 0);
  }
  return count;
}

async function hasTable(sql: postgres.Sql, table: string): Promise<boolean> {
  const [row] = await sql`select to_regclass(${`drizzle.${table}`}) is not null as found`;
  return row?.['found'] === true;
}
