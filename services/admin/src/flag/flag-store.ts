import { clockTime, type Queryable } from '@strongroom/platform/database';
import { type FlagName, isFlagName } from '@strongroom/platform/flags';
import { asc, ne } from 'drizzle-orm';
import { flags } from '../schema.ts';

export type StoredFlag = Readonly<typeof flags.$inferSelect> & { readonly name: FlagName };

/** Only flags that were ever set have a row; a row of a flag that is no more counts for nothing. */
export async function listStoredFlags(db: Queryable): Promise<StoredFlag[]> {
  const rows = await db.orm.select().from(flags).orderBy(asc(flags.name));
  return rows.filter(isKnown);
}

/** Gives the row only if this changed it. */
export async function upsertFlag(
  db: Queryable,
  flag: { name: FlagName; enabled: boolean; actorId: string },
): Promise<StoredFlag | undefined> {
  const { enabled, actorId } = flag;
  const [row] = await db.orm
    .insert(flags)
    .values(flag)
    .onConflictDoUpdate({
      target: flags.name,
      set: { enabled, actorId, updateTime: clockTime },
      setWhere: ne(flags.enabled, enabled),
    })
    .returning();
  return row && isKnown(row) ? row : undefined;
}

function isKnown(row: typeof flags.$inferSelect): row is StoredFlag {
  return isFlagName(row.name);
}
