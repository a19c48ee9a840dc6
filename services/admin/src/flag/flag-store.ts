import { type FlagName, isFlagName } from '@strongroom/platform/flags';
import type { Queries } from '../queries.ts';

export interface StoredFlag {
  readonly name: FlagName;
  readonly enabled: boolean;
  readonly actorId: string;
  readonly updateTime: string;
}

/** Only flags that were ever set have a row; a row of a flag that is no more counts for nothing. */
export async function listStoredFlags({ sql }: Queries): Promise<StoredFlag[]> {
  const rows = await sql`select name, enabled, actor_id::text, update_time from flag order by name`;
  return rows.map(rowToFlag).filter(({ name }) => isFlagName(name));
}

/** Gives the row only if this changed it. */
export async function upsertFlag(
  { sql }: Queries,
  flag: { name: FlagName; enabled: boolean; actorId: string },
): Promise<StoredFlag | undefined> {
  const [row] = await sql`
    insert into flag (name, enabled, actor_id) values (${flag.name}, ${flag.enabled}, ${flag.actorId}::uuid)
    on conflict (name) do update set enabled = excluded.enabled, actor_id = excluded.actor_id,
      update_time = clock_timestamp()
    where flag.enabled <> excluded.enabled
    returning name, enabled, actor_id::text, update_time`;
  return row && rowToFlag(row);
}

function rowToFlag(row: Record<string, unknown>): StoredFlag {
  return {
    name: String(row['name']) as FlagName,
    enabled: row['enabled'] === true,
    actorId: String(row['actor_id']),
    updateTime: String(row['update_time']),
  };
}
