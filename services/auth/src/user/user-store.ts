import type { PageBounds } from '@strongroom/platform/paging';
import { type Executor, firstRow } from '../store.ts';
import type { RoleName, StatusName, UserRow } from './user.ts';

/** Any number of its own: acts that could remove the last administrator go one by one (older fault 34). */
const adminGuardLock = 7_203_501;

const isoTime = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
/** Columns of a UserRow; whether a second factor is enrolled is read from the factors themselves. */
const userColumns = `
  u.id, u.email, u.name, u.role, u.status, u.email_verified as "emailVerified", u.password_hash as "passwordHash",
  u.password_change_required as "passwordChangeRequired",
  to_char(u.create_time at time zone 'UTC', ${isoTime}) as "createTime",
  to_char(u.update_time at time zone 'UTC', ${isoTime}) as "updateTime", u.version,
  (exists (select 1 from totp_factors f where f.user_id = u.id and f.seed is not null)
    or exists (select 1 from passkeys p where p.user_id = u.id)) as "mfaEnabled"`;

export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: RoleName;
  readonly passwordHash: string | null;
  readonly emailVerified: boolean;
  readonly passwordChangeRequired: boolean;
}

/** False when the address is taken: the unique index decides, not a look before (F19's kind of race). */
export async function insertUser({ sql }: Executor, user: NewUser): Promise<boolean> {
  const rows = await sql`
    insert into users (id, email, name, role, status, email_verified, password_hash, password_change_required)
    values (${user.id}, ${user.email}, ${user.name}, ${user.role}, 'ACTIVE', ${user.emailVerified},
      ${user.passwordHash}, ${user.passwordChangeRequired})
    on conflict (email) do nothing returning id`;
  return rows.length === 1;
}

export async function findUser({ sql }: Executor, id: string): Promise<UserRow | undefined> {
  return firstRow(await sql`select ${sql.unsafe(userColumns)} from users u where u.id = ${id}`);
}

/** Holds the row until the transaction ends. */
export async function lockUser({ sql }: Executor, id: string): Promise<UserRow | undefined> {
  return firstRow(await sql`select ${sql.unsafe(userColumns)} from users u where u.id = ${id} for update of u`);
}

export async function findUserByEmailAddress({ sql }: Executor, email: string): Promise<UserRow | undefined> {
  return firstRow(await sql`select ${sql.unsafe(userColumns)} from users u where u.email = ${email}`);
}

export async function lockAdminGuard(db: Executor): Promise<number> {
  await db.sql`select pg_advisory_xact_lock(${adminGuardLock})`;
  return countActiveAdmins(db);
}

export async function countActiveAdmins({ sql }: Executor): Promise<number> {
  const rows = await sql`select count(*)::int as count from users where role = 'ADMIN' and status = 'ACTIVE'`;
  return Number(rows[0]?.['count'] ?? 0);
}

export async function setUserPassword(
  { sql }: Executor,
  id: string,
  passwordHash: string,
  options: { readonly changeRequired: boolean },
): Promise<void> {
  await sql`
    update users set password_hash = ${passwordHash}, password_change_required = ${options.changeRequired},
      update_time = clock_timestamp(), version = version + 1
    where id = ${id}`;
}

/** The same password under a newer scheme: only if nobody has set another meanwhile. */
export async function upgradePasswordHash({ sql }: Executor, id: string, before: string, after: string): Promise<void> {
  await sql`update users set password_hash = ${after} where id = ${id} and password_hash = ${before}`;
}

export async function setUserRole({ sql }: Executor, id: string, role: RoleName): Promise<void> {
  await sql`
    update users set role = ${role}, update_time = clock_timestamp(), version = version + 1 where id = ${id}`;
}

export async function setUserStatus({ sql }: Executor, id: string, status: StatusName): Promise<void> {
  await sql`
    update users set status = ${status}, update_time = clock_timestamp(), version = version + 1 where id = ${id}`;
}

export async function setEmailVerified({ sql }: Executor, id: string): Promise<boolean> {
  const rows = await sql`
    update users set email_verified = true, update_time = clock_timestamp(), version = version + 1
    where id = ${id} and status <> 'DELETED' and not email_verified returning id`;
  return rows.length === 1;
}

/** False when the new address is taken. */
export async function setUserDetails(
  { sql }: Executor,
  id: string,
  details: { readonly name: string; readonly email: string; readonly emailVerified: boolean },
): Promise<boolean> {
  const rows = await sql`
    update users u set name = ${details.name}, email = ${details.email}, email_verified = ${details.emailVerified},
      update_time = clock_timestamp(), version = version + 1
    where id = ${id} and not exists (select 1 from users o where o.email = ${details.email} and o.id <> u.id)
    returning id`;
  return rows.length === 1;
}

/** Everything personal goes, the id stays for whoever refers to it. */
export async function eraseUser({ sql }: Executor, id: string): Promise<void> {
  await sql`
    update users set status = 'DELETED', email = null, name = '', password_hash = null, email_verified = false,
      password_change_required = false, update_time = clock_timestamp(), version = version + 1
    where id = ${id}`;
  await sql`delete from totp_factors where user_id = ${id}`;
  await sql`delete from backup_codes where user_id = ${id}`;
  await sql`delete from passkeys where user_id = ${id}`;
  await sql`delete from passkey_challenges where user_id = ${id}`;
  await sql`delete from mfa_challenges where user_id = ${id}`;
  await sql`delete from message_tokens where user_id = ${id}`;
  await sql`delete from known_devices where user_id = ${id}`;
  await sql`update sessions set user_agent = '', ip_address = '', device_id = '' where user_id = ${id}`;
}

export interface UserQuery {
  readonly role?: RoleName | undefined;
  readonly status?: StatusName | undefined;
  readonly search?: string | undefined;
  readonly orderBy: 'create_time' | 'email' | 'name' | 'role';
  readonly descending: boolean;
}

export interface ListedUser extends UserRow {
  readonly sortValue: string;
}

/** One page, with the id as last sort key so that no row repeats or is left out. Erased accounts aren't listed. */
export async function listUsers(
  { sql }: Executor,
  query: UserQuery,
  { after, rowsMax }: PageBounds,
): Promise<ListedUser[]> {
  const column = query.orderBy === 'create_time' ? sql`u.create_time::text` : sql.unsafe(`u.${query.orderBy}`);
  const key = query.orderBy === 'create_time' ? sql`u.create_time` : sql.unsafe(`u.${query.orderBy}`);
  const cast = query.orderBy === 'create_time' ? sql`::text::timestamptz` : sql`::text`;
  const direction = query.descending ? sql`desc` : sql`asc`;
  const comparison = query.descending ? sql`<` : sql`>`;
  const pattern = query.search === undefined ? undefined : `%${query.search.replace(/[\\%_]/g, '\\$&')}%`;
  const [value, id] = after ?? [];
  const rows = await sql`
    select ${sql.unsafe(userColumns)}, ${column} as "sortValue" from users u
    where u.status <> 'DELETED'
      ${query.role === undefined ? sql`` : sql`and u.role = ${query.role}`}
      ${query.status === undefined ? sql`` : sql`and u.status = ${query.status}`}
      ${pattern === undefined ? sql`` : sql`and (u.email ilike ${pattern} or u.name ilike ${pattern})`}
      ${value === undefined || id === undefined ? sql`` : sql`and (${key}, u.id) ${comparison} (${value}${cast}, ${id}::uuid)`}
    order by ${key} ${direction}, u.id ${direction} limit ${rowsMax}`;
  return rows as unknown as ListedUser[];
}

export async function findUsers({ sql }: Executor, ids: readonly string[]): Promise<UserRow[]> {
  const rows = await sql`select ${sql.unsafe(userColumns)} from users u where u.id = any(${[...ids]}::uuid[])`;
  return rows as unknown as UserRow[];
}
