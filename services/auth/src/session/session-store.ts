import type { PageBounds } from '@strongroom/platform/paging';
import { type Executor, firstRow } from '../store.ts';
import type { RevokeReason } from './session.ts';

/** A session as a refresh needs it, ages measured by the database's clock (F15). */
export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly refreshKey: Buffer;
  readonly generation: number;
  readonly fingerprint: Buffer;
  readonly rotateAgeMs: number;
  readonly rotateTimeS: number;
  readonly isRevoked: boolean;
  readonly revokeReason: RevokeReason | null;
  readonly isExpired: boolean;
  readonly authenticationMethods: string[];
  readonly authenticationTimeS: number;
  readonly keyThumbprint: string | null;
}

const sessionColumns = `
  s.id, s.user_id as "userId", s.refresh_key as "refreshKey", s.generation, s.fingerprint,
  (extract(epoch from clock_timestamp() - s.rotate_time) * 1000)::float8 as "rotateAgeMs",
  floor(extract(epoch from s.rotate_time))::float8 as "rotateTimeS",
  s.revoke_time is not null as "isRevoked", s.revoke_reason as "revokeReason",
  (s.idle_expire_time <= clock_timestamp() or s.expire_time <= clock_timestamp()) as "isExpired",
  s.authentication_methods as "authenticationMethods",
  floor(extract(epoch from s.authentication_time))::float8 as "authenticationTimeS",
  s.key_thumbprint as "keyThumbprint"`;

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly refreshKey: Buffer;
  readonly tokenHash: Buffer;
  readonly fingerprint: Buffer;
  readonly userAgent: string;
  readonly ipAddress: string;
  readonly deviceId: string;
  readonly authenticationMethods: readonly string[];
  readonly keyThumbprint: string | null;
  readonly idleS: number;
  readonly absoluteS: number;
}

export async function insertSession({ sql }: Executor, session: NewSession): Promise<SessionRow> {
  const rows = await sql`
    with s as (
      insert into sessions (id, user_id, refresh_key, fingerprint, user_agent, ip_address, device_id,
        authentication_methods, key_thumbprint, idle_expire_time, expire_time)
      values (${session.id}, ${session.userId}, ${session.refreshKey}, ${session.fingerprint}, ${session.userAgent},
        ${session.ipAddress}, ${session.deviceId}, ${[...session.authenticationMethods]}, ${session.keyThumbprint},
        clock_timestamp() + least(${session.idleS}::int, ${session.absoluteS}::int) * interval '1 second',
        clock_timestamp() + ${session.absoluteS}::int * interval '1 second')
      returning *),
    t as (
      insert into refresh_tokens (session_id, generation, token_hash, fingerprint)
      select id, 0, ${session.tokenHash}, fingerprint from s)
    select ${sql.unsafe(sessionColumns)} from s`;
  const row = firstRow<SessionRow>(rows);
  if (row === undefined) throw new Error('an insert returned nothing');
  return row;
}

export async function findSession({ sql }: Executor, id: string): Promise<SessionRow | undefined> {
  return firstRow(await sql`select ${sql.unsafe(sessionColumns)} from sessions s where s.id = ${id}`);
}

/**
 * The compare-and-set of S1.2b: of any number of parallel refreshes with one token, one sees the generation it
 * compares with, and the trade of the old token and the new one's hash are the same statement.
 */
export async function rotateSession(
  { sql }: Executor,
  rotation: {
    readonly id: string;
    readonly generation: number;
    readonly tokenHash: Buffer;
    readonly fingerprint: Buffer;
    readonly ipAddress: string;
    readonly idleS: number;
  },
): Promise<SessionRow | undefined> {
  const rows = await sql`
    with s as (
      update sessions set generation = generation + 1, fingerprint = ${rotation.fingerprint},
        ip_address = ${rotation.ipAddress}, rotate_time = clock_timestamp(), last_used_time = clock_timestamp(),
        idle_expire_time = least(expire_time, clock_timestamp() + ${rotation.idleS}::int * interval '1 second')
      where id = ${rotation.id} and generation = ${rotation.generation} and revoke_time is null
        and idle_expire_time > clock_timestamp() and expire_time > clock_timestamp()
      returning *),
    used as (
      update refresh_tokens t set use_time = clock_timestamp() from s
      where t.session_id = s.id and t.generation = ${rotation.generation}),
    issued as (
      insert into refresh_tokens (session_id, generation, token_hash, fingerprint)
      select id, generation, ${rotation.tokenHash}, fingerprint from s)
    select ${sql.unsafe(sessionColumns)} from s`;
  return firstRow(rows);
}

/** Ends sessions; answers which were alive. */
export async function revokeSessions(
  { sql }: Executor,
  which: { readonly userId: string; readonly id?: string | undefined; readonly exceptId?: string | undefined },
  reason: RevokeReason,
): Promise<string[]> {
  const rows = await sql`
    with ended as (
      update sessions set revoke_time = clock_timestamp(), revoke_reason = ${reason}
      where user_id = ${which.userId} and revoke_time is null and expire_time > clock_timestamp()
        ${which.id === undefined ? sql`` : sql`and id = ${which.id}`}
        ${which.exceptId === undefined ? sql`` : sql`and id <> ${which.exceptId}`}
      returning id),
    voided as (
      update refresh_tokens t set revoked = true from ended where t.session_id = ended.id and t.use_time is null)
    select id from ended`;
  return rows.map((row) => String(row['id']));
}

/** V7.1.2: over the limit, the sessions that were used least recently end. */
export async function revokeSessionsOverLimit({ sql }: Executor, userId: string, keepMax: number): Promise<string[]> {
  const rows = await sql`
    with ended as (
      update sessions set revoke_time = clock_timestamp(), revoke_reason = 'session-limit'
      where id in (
        select id from sessions where user_id = ${userId} and revoke_time is null
          and idle_expire_time > clock_timestamp()
        order by last_used_time desc, id desc offset ${keepMax})
      returning id),
    voided as (
      update refresh_tokens t set revoked = true from ended where t.session_id = ended.id and t.use_time is null)
    select id from ended`;
  return rows.map((row) => String(row['id']));
}

export interface ListedSession {
  readonly id: string;
  readonly userAgent: string;
  readonly ipAddress: string;
  readonly createTime: string;
  readonly lastUsedTime: string;
  readonly expireTime: string;
  readonly authenticationMethods: string[];
}

/** Live sessions, newest use first; the id breaks ties so that pages neither repeat nor skip. */
export async function listLiveSessions(
  { sql }: Executor,
  userId: string,
  { after, rowsMax }: PageBounds,
): Promise<ListedSession[]> {
  const [time, id] = after ?? [];
  const rows = await sql`
    select id, user_agent as "userAgent", ip_address as "ipAddress", create_time::text as "createTime",
      last_used_time::text as "lastUsedTime", idle_expire_time::text as "expireTime",
      authentication_methods as "authenticationMethods"
    from sessions
    where user_id = ${userId} and revoke_time is null and idle_expire_time > clock_timestamp()
      ${time === undefined || id === undefined ? sql`` : sql`and (last_used_time, id) < (${time}::text::timestamptz, ${id}::uuid)`}
    order by last_used_time desc, id desc limit ${rowsMax}`;
  return rows as unknown as ListedSession[];
}

/** A factor was proven inside a session: it counts from now on (step-up, enrolment). */
export async function setSessionAuthentication(
  { sql }: Executor,
  id: string,
  methods: readonly string[],
): Promise<SessionRow | undefined> {
  const rows = await sql`
    with s as (
      update sessions set authentication_methods = ${[...methods]}, authentication_time = clock_timestamp()
      where id = ${id} and revoke_time is null and expire_time > clock_timestamp() returning *)
    select ${sql.unsafe(sessionColumns)} from s`;
  return firstRow(rows);
}

/** Whether the user has signed in with this user agent before, by a session that ended or lives. */
export async function hasSessionFrom({ sql }: Executor, userId: string, userAgent: string): Promise<boolean> {
  const rows = await sql`
    select 1 from sessions where user_id = ${userId} and user_agent = ${userAgent} limit 1`;
  return rows.length === 1;
}

export async function hasAnySession({ sql }: Executor, userId: string): Promise<boolean> {
  const rows = await sql`select 1 from sessions where user_id = ${userId} limit 1`;
  return rows.length === 1;
}

/** S1.2a: old tokens stay for audit, but not for ever. */
export async function deleteOldSessions({ sql }: Executor, retentionDays: number): Promise<void> {
  await sql`
    delete from sessions where id in (
      select id from sessions where expire_time < clock_timestamp() - ${retentionDays}::int * interval '1 day'
      limit 1000)`;
}
