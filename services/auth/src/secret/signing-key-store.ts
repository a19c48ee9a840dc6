import { isPast, onlyRow } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { desc } from 'drizzle-orm';
import { secretRotations } from '../schema.ts';
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
  const row = onlyRow(rows);
  return { ...row, ...timesOf(row) } as unknown as SigningKeyRow;
}

/** Keeps the newest; never removes one whose tokens may live (S3.1a: keep-limit). */
export async function deleteOldSigningKeys({ sql }: Executor, keepMax: number): Promise<void> {
  await sql`
    delete from signing_keys where kid in (
      select kid from signing_keys where not active and verify_until_time < clock_timestamp()
      order by create_time desc offset ${keepMax})`;
}

export type RotationRow = Readonly<typeof secretRotations.$inferSelect>;

export async function insertRotation(db: Executor, rotation: Omit<RotationRow, 'createTime'>): Promise<RotationRow> {
  return onlyRow(await db.orm.insert(secretRotations).values(rotation).returning());
}

/** Newest first. */
export async function listRotationRows(db: Executor, { after, rowsMax }: PageBounds): Promise<RotationRow[]> {
  const { createTime, id } = secretRotations;
  return await db.orm
    .select()
    .from(secretRotations)
    .where(isPast(after, [createTime, id], 'descending'))
    .orderBy(desc(createTime), desc(id))
    .limit(rowsMax);
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
