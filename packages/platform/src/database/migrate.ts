import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

/** The same number as in scripts/database: whoever migrates, one at a time (F40). */
const migrationLock = 7_203_412;
const endTimeoutS = 5;
const roleName = /^[a-z_][a-z0-9_]{0,62}$/;

export const platformMigrations = join(import.meta.dirname, '..', '..', 'migrations');

export interface MigrateOptions {
  /** Connects as the role that owns the tables. */
  readonly ownerUrl: string;
  /** The service's own migrations; they run after the platform's. */
  readonly folder?: string;
  /** Gets DML and nothing else (S4.1). */
  readonly runtimeRole: string;
}

/** Brings a database to its present state. Runs at the same time or again do no harm: the later find nothing to do. */
export async function migrateDatabase({ ownerUrl, folder, runtimeRole }: MigrateOptions): Promise<void> {
  if (!roleName.test(runtimeRole)) throw new TypeError('Not a plain role name.');
  // A client of its own: drizzle rewrites the serializers of the one that it is given.
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`select pg_advisory_lock(${migrationLock})`;
    await grantDefaults(sql, runtimeRole);
    await runFolder(sql, platformMigrations, 'platform_migrations');
    if (folder !== undefined) await runFolder(sql, folder, 'service_migrations');
    await grantUsage(sql, runtimeRole);
    await sql`select pg_advisory_unlock(${migrationLock})`;
  } finally {
    await sql.end({ timeout: endTimeoutS });
  }
}

async function runFolder(sql: postgres.Sql, folder: string, table: string): Promise<void> {
  if (!existsSync(join(folder, 'meta', '_journal.json'))) throw new Error(`${folder} holds no migrations.`);
  await migrate(drizzle(sql), { migrationsFolder: folder, migrationsTable: table });
}

/**
 * Rows, not tables: no DDL, no ownership, no TRUNCATE. As defaults for what the owner makes from here on, and not as
 * grants afterwards: a migration that takes a right away (an append-only table) must not be undone by the next run.
 */
async function grantDefaults(sql: postgres.Sql, role: string): Promise<void> {
  await sql`alter default privileges grant select, insert, update, delete on tables to ${sql(role)}`;
  await sql`alter default privileges grant usage, select on sequences to ${sql(role)}`;
  await sql`alter default privileges revoke execute on functions from public`;
  await sql`alter default privileges grant execute on functions to ${sql(role)}`;
}

/** Only what the owner owns can be granted by it; `public` belongs to the database's own owner role. */
async function grantUsage(sql: postgres.Sql, role: string): Promise<void> {
  const schemas = await sql<{ name: string }[]>`
    select nspname as name from pg_namespace
    where nspname <> 'drizzle' and pg_has_role(current_user, nspowner, 'usage') and nspname not like 'pg\\_%'`;
  for (const { name } of schemas) await sql`grant usage on schema ${sql(name)} to ${sql(role)}`;
}
