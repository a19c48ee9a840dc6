import type { Executor } from './store.ts';

/** Counts a value once, over all instances: false when it was used before. */
export async function useProof({ sql }: Executor, hash: Buffer, lifeS: number): Promise<boolean> {
  const rows = await sql`
    insert into used_proofs (hash, expire_time) values (${hash}, clock_timestamp() + ${lifeS}::int * interval '1 second')
    on conflict (hash) do nothing returning hash`;
  return rows.length === 1;
}

export async function deleteOldProofs({ sql }: Executor): Promise<void> {
  await sql`delete from used_proofs where expire_time < clock_timestamp()`;
}
