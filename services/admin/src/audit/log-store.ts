import { clockTime, type Queryable } from '@strongroom/platform/database';
import { HASH_BYTES, type ReadTile, TILE_WIDTH, type TileUpdate, type TreeState } from '@strongroom/tlog';
import { and, asc, desc, eq, gte, lt, sql as orm } from 'drizzle-orm';
import { logCheckpoints, logLeaves, logState } from '../audit-schema.ts';
import { utcText } from '../queries.ts';

/** Whoever holds it is the log's only writer until its transaction ends (F28). */
const writerLock = 7_203_420;

export interface LogState extends TreeState {
  readonly minimumIndex: number;
}

/** A row as it lies there. What it says beside its note is a hint: see transparency/genuine-checkpoints.ts. */
export interface CheckpointRow {
  readonly id: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly cosigned: boolean;
  readonly ageSeconds: number;
}

/** Waits for the writer's lock, then reads the state and the time that the batch's records get, which never goes back. */
export async function lockLog(db: Queryable): Promise<LogState & { recordTime: string }> {
  await db.sql`select pg_advisory_xact_lock(${writerLock})`;
  const [row] = await db.orm
    .update(logState)
    .set({ recordTime: orm`greatest(${logState.recordTime}, ${clockTime})` })
    .returning({ ...stateColumns, recordTime: utcText(logState.recordTime) });
  return { ...rowToState(row), recordTime: row?.recordTime ?? '' };
}

export async function readLogState(db: Queryable): Promise<LogState> {
  const [row] = await db.orm.select(stateColumns).from(logState);
  return rowToState(row);
}

/** Which of these events the log has. */
export async function findStoredEvents({ sql }: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql`select event_id::text from log_leaf where event_id = any(${[...eventIds]}::uuid[])`;
  return new Set(rows.map((row) => String(row['event_id'])));
}

export async function findSequence(db: Queryable, eventId: string): Promise<number | undefined> {
  const [row] = await db.orm
    .select({ sequence: logLeaves.sequence })
    .from(logLeaves)
    .where(eq(logLeaves.eventId, eventId));
  return row?.sequence;
}

export async function insertLeaves(
  { sql }: Queryable,
  leaves: readonly { sequence: number; eventId: string; entry: Uint8Array }[],
): Promise<void> {
  await sql`
    insert into log_leaf (sequence, event_id, entry)
    select * from unnest(
      ${leaves.map(({ sequence }) => String(sequence))}::bigint[],
      ${leaves.map(({ eventId }) => eventId)}::uuid[],
      ${byteaArray(leaves.map(({ entry }) => entry))}::bytea[])`;
}

/** Full tiles are stored once and for ever; the partial ones are the edge of the state. */
export async function storeTree({ sql }: Queryable, state: TreeState, tiles: readonly TileUpdate[]): Promise<void> {
  const full = tiles.filter(({ width }) => width === TILE_WIDTH);
  if (full.length > 0) {
    await sql`
      insert into log_tile (level, index, bytes)
      select * from unnest(
        ${full.map(({ level }) => level)}::smallint[],
        ${full.map(({ index }) => String(index))}::bigint[],
        ${byteaArray(full.map(({ bytes }) => bytes))}::bytea[])`;
  }
  await sql`update log_state set size = ${String(state.size)}, edge = ${Buffer.concat(state.edge)}`;
}

export async function raiseMinimumIndex({ sql }: Queryable, minimumIndex: number): Promise<void> {
  await sql`update log_state set minimum_index = greatest(minimum_index, ${String(minimumIndex)})`;
}

interface TilePlace {
  readonly level: number;
  readonly index: number;
}

/** Tiles that are asked for at once, as those of a proof are, come by one statement: each more would be waited for. */
export function createTileReader(db: Queryable): ReadTile {
  let asked: TilePlace[] = [];
  let reading: Promise<(Uint8Array | undefined)[]> | undefined;
  const readAsked = async () => {
    await Promise.resolve();
    const places = asked;
    asked = [];
    reading = undefined;
    return readTiles(db, places);
  };
  return async (level, index) => {
    const at = asked.push({ level, index }) - 1;
    reading ??= readAsked();
    return (await reading)[at];
  };
}

/** A tile is full and stored, or at the edge; one statement sees both as of one moment. The edge comes with its first row. */
async function readTiles({ sql }: Queryable, places: readonly TilePlace[]): Promise<(Uint8Array | undefined)[]> {
  const rows = await sql`
    select (select bytes from log_tile where level = asked.level and index = asked.index) as bytes,
      case when position = 1 then size::text end as size, case when position = 1 then edge end as edge
    from log_state, unnest(
      ${places.map(({ level }) => level)}::smallint[],
      ${places.map(({ index }) => String(index))}::bigint[]
    ) with ordinality as asked (level, index, position)
    order by position`;
  const size = Number(rows[0]?.['size'] ?? 0);
  const edge = edgeFromBytes(size, (rows[0]?.['edge'] as Uint8Array | undefined) ?? Buffer.alloc(0));
  return places.map(({ level, index }, at) => {
    const stored = rows[at]?.['bytes'] as Uint8Array | null | undefined;
    const isAtEdge = Math.floor(size / TILE_WIDTH ** (level + 1)) === index;
    return stored ?? (isAtEdge ? edge[level] : undefined);
  });
}

/** The size says how many hashes of each level are not yet in a full tile. */
function edgeFromBytes(size: number, bytes: Uint8Array): Uint8Array[] {
  const edge: Uint8Array[] = [];
  let at = 0;
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const width = Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
    edge.push(bytes.subarray(at, at + width * HASH_BYTES));
    at += width * HASH_BYTES;
  }
  return edge;
}

/** The entries of a range, first to last. */
export async function readEntries(
  db: Queryable,
  from: number,
  count: number,
): Promise<{ sequence: number; entry: Uint8Array }[]> {
  const { sequence, entry } = logLeaves;
  return await db.orm
    .select({ sequence, entry })
    .from(logLeaves)
    .where(and(gte(sequence, from), lt(sequence, from + count)))
    .orderBy(asc(sequence));
}

export async function insertCheckpoint(
  db: Queryable,
  checkpoint: Omit<CheckpointRow, 'id' | 'ageSeconds'>,
): Promise<void> {
  await db.orm.insert(logCheckpoints).values({ ...checkpoint, root: Buffer.from(checkpoint.root) });
}

export interface CheckpointFilter {
  readonly cosignedOnly: boolean;
  readonly size?: number;
}

/** The newest first. */
export async function listCheckpoints(
  db: Queryable,
  filter: CheckpointFilter,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<CheckpointRow[]> {
  const { id, size, root, note, cosigned, createTime } = logCheckpoints;
  const ageSeconds = orm<number>`extract(epoch from ${clockTime} - ${createTime})::float8`;
  return await db.orm
    .select({ id, size, root, note, cosigned, ageSeconds })
    .from(logCheckpoints)
    .where(
      and(
        filter.size === undefined ? undefined : eq(size, filter.size),
        filter.cosignedOnly ? eq(cosigned, true) : undefined,
        page.before === undefined ? undefined : lt(id, page.before),
      ),
    )
    .orderBy(desc(id))
    .limit(page.limit);
}

/** Notes of up to `countMax` checkpoints of less than a size, by growing size, spread over the log. */
export async function listNotesBelow(
  { sql }: Queryable,
  size: number,
  filter: { readonly cosignedOnly: boolean; readonly countMax: number },
): Promise<string[]> {
  const rows = await sql`
    with newest as (
      select distinct on (size) size, note from log_checkpoint
      where (cosigned or not ${filter.cosignedOnly}) and size < ${String(size)} order by size, id desc
    ), numbered as (
      select note, size, row_number() over (order by size) as position, count(*) over () as total from newest
    )
    select note from numbered
    where position % greatest(1, ceil(total::numeric / ${filter.countMax})::bigint) = 0
    order by size`;
  return rows.map((row) => String(row['note']));
}

/** postgres.js writes arrays of bytea only as text. */
export function byteaArray(values: readonly (Uint8Array | null)[]): string {
  const items = values.map((bytes) => (bytes === null ? 'NULL' : `"\\\\x${Buffer.from(bytes).toString('hex')}"`));
  return `{${items.join(',')}}`;
}

const stateColumns = { size: logState.size, edge: logState.edge, minimumIndex: logState.minimumIndex };

function rowToState(row: Pick<typeof logState.$inferSelect, keyof typeof stateColumns> | undefined): LogState {
  if (!row) throw new Error('The log has no state: audit_db was not migrated.');
  const { size, edge, minimumIndex } = row;
  return { size, edge: edgeFromBytes(size, edge), minimumIndex };
}
