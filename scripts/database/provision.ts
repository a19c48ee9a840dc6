import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import postgres from 'postgres';

/** Any number, the same in every process: one provisions at a time, because CREATE ROLE knows no IF NOT EXISTS. */
const provisionLock = 7_203_411;
const scramIterations = 4096;

export interface RolePasswords {
  readonly owner: string;
  readonly runtime: string;
}

export interface DatabaseRequest {
  /** Names the roles: `<name>_owner` and `<name>_app`. */
  readonly name: string;
  readonly database: string;
  readonly passwords: RolePasswords;
  /** Copied instead of starting empty. */
  readonly template?: string;
}

export interface ProvisionedDatabase {
  readonly database: string;
  /** Makes and changes tables; used by migrations alone. */
  readonly ownerUrl: string;
  /** What a service runs as: reads and writes rows, owns nothing, changes no table. */
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
}

/** Makes a database and its two roles, or brings existing ones to the same state (S4.1). */
export async function provisionDatabase(superuserUrl: string, request: DatabaseRequest): Promise<ProvisionedDatabase> {
  const { name, database, passwords } = request;
  for (const identifier of [name, database, request.template ?? 'a']) requireIdentifier(identifier);
  const owner = `${name}_owner`;
  const runtime = `${name}_app`;
  await withSuperuser(superuserUrl, async (sql) => {
    await withLock(sql, provisionLock, async () => {
      await provisionRole(sql, owner, passwords.owner);
      await provisionRole(sql, runtime, passwords.runtime);
    });
    const known = await sql`select 1 from pg_database where datname = ${database}`;
    if (known.length === 0) {
      const template = request.template === undefined ? '' : ` template ${request.template}`;
      await sql.unsafe(`create database ${database} owner ${owner}${template}`);
    }
    await sql.unsafe(`revoke all on database ${database} from public`);
    await sql.unsafe(`grant connect on database ${database} to ${runtime}`);
  });
  const provisioned: ProvisionedDatabase = {
    database,
    ownerUrl: roleUrl(superuserUrl, database, owner, passwords.owner),
    runtimeUrl: roleUrl(superuserUrl, database, runtime, passwords.runtime),
    superuserUrl: roleUrl(superuserUrl, database),
  };
  await withSuperuser(provisioned.superuserUrl, (sql) => grantDefaults(sql, owner, runtime));
  return provisioned;
}

/** What the owner makes from now on, the runtime role may read and write, and nobody else may even call. */
async function grantDefaults(sql: postgres.Sql, owner: string, runtime: string): Promise<void> {
  await sql.unsafe(`
    alter default privileges for role ${owner} grant select, insert, update, delete on tables to ${runtime};
    alter default privileges for role ${owner} grant usage, select on sequences to ${runtime};
    alter default privileges for role ${owner} revoke execute on functions from public;
    alter default privileges for role ${owner} grant execute on functions to ${runtime};
    grant usage on schema public to ${runtime};
  `);
}

async function provisionRole(sql: postgres.Sql, role: string, password: string): Promise<void> {
  const known = await sql`select 1 from pg_roles where rolname = ${role}`;
  const verb = known.length === 0 ? 'create' : 'alter';
  const rights = 'login nosuperuser nocreatedb nocreaterole noreplication nobypassrls';
  // The verifier, not the password: statements can end up in logs and in pg_stat_statements.
  await sql.unsafe(`${verb} role ${role} with ${rights} password '${scramVerifier(password)}'`);
}

/** RFC 5803's form of a SCRAM-SHA-256 verifier, as PostgreSQL stores it. */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, scramIterations, 32, 'sha256');
  const key = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(key('Client Key')).digest('base64');
  const serverKey = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${scramIterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

export async function dropDatabase(superuserUrl: string, database: string): Promise<void> {
  requireIdentifier(database);
  await withSuperuser(superuserUrl, (sql) => sql.unsafe(`drop database if exists ${database} with (force)`));
}

export async function withSuperuser<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Held by the session, so that a crash lets go of it. The client must have one connection. */
export async function withLock<T>(sql: postgres.Sql, lock: number, work: () => Promise<T>): Promise<T> {
  await sql`select pg_advisory_lock(${lock})`;
  try {
    return await work();
  } finally {
    await sql`select pg_advisory_unlock(${lock})`;
  }
}

function roleUrl(base: string, database: string, user?: string, password?: string): string {
  const url = new URL(base);
  url.pathname = `/${database}`;
  if (user !== undefined) url.username = user;
  if (password !== undefined) url.password = password;
  return url.href;
}

/** Names go into DDL as they are, so they are held to what needs no quoting. */
function requireIdentifier(name: string): void {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new Error(`Not a plain database identifier: ${name}`);
}
