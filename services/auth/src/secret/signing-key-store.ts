import { type Executor, firstRow } from '../store.ts';
import type { Ed25519Jwk, SigningKeyRow } from './signing-key.ts';

/** One rotates at a time, over all instances. */
const rotationLock = 7_203_502;

const columns = `
  kid, algorithm, public_jwk as "publicJwk", active as "isActive", can_verify as "canVerify",
  (extract(epoch from create_time) * 1000)::float8 as "createTimeMs",
  (extract(epoch from sign_from_time) * 1000)::float8 as "signFromTimeMs",
  (extract(epoch from expire_time) * 1000)::float8 as "expireTimeMs",
  (extract(epoch from retire_time) * 1000)::float8 as "retireTimeMs",
  (extract(epoch from verify_until_time) * 1000)::float8 as "verifyUntilTimeMs"`;

export interface SealedSigningKey extends SigningKeyRow {
  readonly privateKey: Buffer;
}

export async function listSigningKeys({ sql }: Executor): Promise<SealedSigningKey[]> {
  const rows = await sql`
    select ${sql.unsafe(columns)}, private_key as "privateKey" from signing_keys order by create_time desc, kid`;
  return rows.map((row) => ({ ...row, ...timesOf(row) })) as unknown as SealedSigningKey[];
}

export interface NewSigningKey {
  readonly kid: string;
  readonly publicJwk: Ed25519Jwk;
  readonly privateKey: Buffer;
  readonly lifeDays: number;
  readonly leadMs: number;
}

export async function lockRotation({ sql }: Executor): Promise<void> {
  await sql`select pg_advisory_xact_lock(${rotationLock})`;
}

/** Retires the key that signs, from the instant on at which the next one does; answers its id. */
export async function retireActiveKey(
  { sql }: Executor,
  options: { readonly leadMs: number; readonly verifyMs: number },
): Promise<string | undefined> {
  const rows = await sql`
    update signing_keys set active = false,
      retire_time = clock_timestamp() + ${options.leadMs}::int * interval '1 millisecond',
      verify_until_time = clock_timestamp() + ${options.leadMs + options.verifyMs}::int * interval '1 millisecond'
    where active returning kid`;
  return firstRow<{ kid: string }>(rows)?.kid;
}

export async function insertSigningKey({ sql }: Executor, key: NewSigningKey): Promise<SigningKeyRow> {
  const rows = await sql`
    insert into signing_keys (kid, algorithm, public_jwk, private_key, active, sign_from_time, expire_time)
    values (${key.kid}, 'EdDSA', ${JSON.stringify(key.publicJwk)}::text::jsonb, ${key.privateKey}, true,
      clock_timestamp() + ${key.leadMs}::int * interval '1 millisecond',
      clock_timestamp() + ${key.lifeDays}::int * interval '1 day')
    returning ${sql.unsafe(columns)}`;
  const [row] = rows;
  if (row === undefined) throw new Error('an insert returned nothing');
  return { ...row, ...timesOf(row) } as unknown as SigningKeyRow;
}

/** Keeps the newest; never removes one whose tokens may live (S3.1a: keep-limit). */
export async function deleteOldSigningKeys({ sql }: Executor, keepMax: number): Promise<void> {
  await sql`
    delete from signing_keys where kid in (
      select kid from signing_keys where not active and verify_until_time < clock_timestamp()
      order by create_time desc offset ${keepMax})`;
}

export interface RotationRow {
  readonly id: string;
  readonly oldKid: string | null;
  readonly newKid: string;
  readonly actorId: string | null;
  readonly reason: string;
  readonly createTime: string;
}

const rotationColumns = `
  id, old_kid as "oldKid", new_kid as "newKid", actor_id as "actorId", reason, create_time::text as "createTime"`;

export async function insertRotation(
  { sql }: Executor,
  rotation: Omit<RotationRow, 'createTime'>,
): Promise<RotationRow> {
  const rows = await sql`
    insert into secret_rotations (id, old_kid, new_kid, actor_id, reason)
    values (${rotation.id}, ${rotation.oldKid}, ${rotation.newKid}, ${rotation.actorId}, ${rotation.reason})
    returning ${sql.unsafe(rotationColumns)}`;
  const row = firstRow<RotationRow>(rows);
  if (row === undefined) throw new Error('an insert returned nothing');
  return row;
}

export async function listRotationRows(
  { sql }: Executor,
  query: { readonly limit: number; readonly after?: { readonly value: string; readonly id: string } | undefined },
): Promise<RotationRow[]> {
  const rows = await sql`
    select ${sql.unsafe(rotationColumns)} from secret_rotations
    ${query.after === undefined ? sql`` : sql`where (create_time, id) < (${query.after.value}::text::timestamptz, ${query.after.id}::uuid)`}
    order by create_time desc, id desc limit ${query.limit}`;
  return rows as unknown as RotationRow[];
}

/** Nulls become undefined, as the rules have it; JSON comes as text from a client whose parsers drizzle has changed. */
function timesOf(row: Record<string, unknown>) {
  const jwk = row['publicJwk'];
  return {
    publicJwk: (typeof jwk === 'string' ? JSON.parse(jwk) : jwk) as Ed25519Jwk,
    retireTimeMs: (row['retireTimeMs'] as number | null) ?? undefined,
    verifyUntilTimeMs: (row['verifyUntilTimeMs'] as number | null) ?? undefined,
  };
}
