import { type Executor, firstRow } from '../store.ts';

export type RevocationKind = 'jti' | 'sid' | 'usr';

/** One thing whose access tokens are refused, as Redis gets it. */
export interface Revocation {
  readonly id: string;
  readonly kind: RevocationKind;
  readonly subject: string;
  /** Tokens issued before are refused; a whole second, because that is all a token's iat can tell. */
  readonly notBeforeMs: number;
  /** Milliseconds until no token that it concerns is alive. */
  readonly aliveMs: number;
}

const columns = `
  id, kind, subject, (floor(extract(epoch from not_before)) * 1000)::float8 as "notBeforeMs",
  ceil(extract(epoch from expire_time - clock_timestamp()) * 1000)::float8 as "aliveMs"`;

export async function insertRevocations(
  { sql }: Executor,
  entries: readonly { readonly id: string; readonly kind: RevocationKind; readonly subject: string }[],
  aliveS: number,
): Promise<Revocation[]> {
  const rows = await sql`
    insert into revocations (id, kind, subject, expire_time)
    select id, kind, subject, clock_timestamp() + ${aliveS}::int * interval '1 second'
    from unnest(${entries.map((entry) => entry.id)}::uuid[], ${entries.map((entry) => entry.kind)}::text[],
      ${entries.map((entry) => entry.subject)}::text[]) as e (id, kind, subject)
    returning ${sql.unsafe(columns)}`;
  return rows as unknown as Revocation[];
}

/** What Redis has not been told yet, oldest first. */
export async function listPendingRevocations({ sql }: Executor, limit: number): Promise<Revocation[]> {
  const rows = await sql`
    select ${sql.unsafe(columns)} from revocations
    where apply_time is null and expire_time > clock_timestamp() order by id limit ${limit}`;
  return rows as unknown as Revocation[];
}

export async function markRevocationsApplied({ sql }: Executor, ids: readonly string[]): Promise<void> {
  await sql`update revocations set apply_time = clock_timestamp() where id = any(${[...ids]}::uuid[])`;
}

/** Says that the marker in Redis may stand so long from now on. Never shortens what another instance has said. */
export async function leaseMarker({ sql }: Executor, leaseMs: number): Promise<void> {
  await sql`
    update deny_marker
    set until_time = greatest(until_time, clock_timestamp() + ${leaseMs}::int * interval '1 millisecond')`;
}

/** How long the marker may still stand without these revocations; 0 once Redis has them. */
export async function markerWaitMs({ sql }: Executor, ids: readonly string[]): Promise<number> {
  const rows = await sql`
    select greatest(0, ceil(extract(epoch from m.until_time - clock_timestamp()) * 1000))::float8 as "waitMs"
    from deny_marker m
    where exists (select 1 from revocations where id = any(${[...ids]}::uuid[]) and apply_time is null)`;
  return firstRow<{ waitMs: number }>(rows)?.waitMs ?? 0;
}

/** Everything that still concerns a living token, for a Redis that lost it. */
export async function listLiveRevocations({ sql }: Executor, afterId: string, limit: number): Promise<Revocation[]> {
  const rows = await sql`
    select ${sql.unsafe(columns)} from revocations
    where expire_time > clock_timestamp() and id > ${afterId}::uuid order by id limit ${limit}`;
  return rows as unknown as Revocation[];
}

/** The truth about one access token (S1.2c), read where it is written. */
export async function isRevoked(
  { sql }: Executor,
  token: { userId: string; sessionId: string; tokenId: string; issueTimeS: bigint },
): Promise<boolean> {
  const rows = await sql`
    select 1
    from users u join sessions s on s.user_id = u.id
    where u.id = ${token.userId} and u.status = 'ACTIVE' and s.id = ${token.sessionId}
      and s.revoke_time is null and s.expire_time > clock_timestamp()
      and (u.tokens_not_before is null or date_trunc('second', u.tokens_not_before) <= to_timestamp(${Number(token.issueTimeS)}))
      and not exists (
        select 1 from revocations r where r.kind = 'jti' and r.subject = ${token.tokenId}
          and r.expire_time > clock_timestamp())`;
  return rows.length === 0;
}

export async function setTokensNotBefore({ sql }: Executor, userId: string): Promise<void> {
  await sql`update users set tokens_not_before = clock_timestamp() where id = ${userId}`;
}

export async function deleteOldRevocations({ sql }: Executor): Promise<void> {
  await sql`delete from revocations where expire_time < clock_timestamp() - interval '1 hour'`;
}
