import { HASH_BYTES, type ReadTile, TILE_WIDTH, type TileUpdate, type TreeState } from '@strongroom/tlog';
import type { Queries } from '../queries.ts';

/** Whoever holds it is the log's only writer until its transaction ends (F28). */
const writerLock = 7_203_420;

export interface LogState extends TreeState {
  readonly minimumIndex: number;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly cosigned: boolean;
  readonly ageSeconds: number;
}

/** Waits for the writer's lock, then reads the state and the time that the batch's records get. */
export async function lockLog({ sql }: Queries): Promise<LogState & { recordTime: string }> {
  await sql`select pg_advisory_xact_lock(${writerLock})`;
  const [row] = await sql`
    select size::text, edge, minimum_index::text, ${utcText(sql, sql`clock_timestamp()`)} as record_time
    from log_state for update`;
  return { ...rowToState(row), recordTime: String(row?.['record_time']) };
}

export async function readLogState({ sql }: Queries): Promise<LogState> {
  const [row] = await sql`select size::text, edge, minimum_index::text from log_state`;
  return rowToState(row);
}

/** Which of these events the log has. */
export async function findStoredEvents({ sql }: Queries, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql`select event_id::text from log_leaf where event_id = any(${[...eventIds]}::uuid[])`;
  return new Set(rows.map((row) => String(row['event_id'])));
}

export async function findSequence({ sql }: Queries, eventId: string): Promise<number | undefined> {
  const [row] = await sql`select sequence::text from log_leaf where event_id = ${eventId}::uuid`;
  return row ? Number(row['sequence']) : undefined;
}

export async function insertLeaves(
  { sql }: Queries,
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
export async function storeTree({ sql }: Queries, state: TreeState, tiles: readonly TileUpdate[]): Promise<void> {
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

export async function raiseMinimumIndex({ sql }: Queries, minimumIndex: number): Promise<void> {
  await sql`update log_state set minimum_index = greatest(minimum_index, ${String(minimumIndex)})`;
}

/** A tile is full and stored, or at the edge; one statement sees both as of one moment. */
export function createTileReader({ sql }: Queries): ReadTile {
  return async (level, index) => {
    const [row] = await sql`
      select (select bytes from log_tile where level = ${level} and index = ${String(index)}) as bytes, size::text, edge
      from log_state`;
    if (row?.['bytes']) return row['bytes'] as Uint8Array;
    const size = Number(row?.['size'] ?? 0);
    const isAtEdge = Math.floor(size / TILE_WIDTH ** (level + 1)) === index;
    return isAtEdge ? edgeFromBytes(size, row?.['edge'] as Uint8Array)[level] : undefined;
  };
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
  { sql }: Queries,
  from: number,
  count: number,
): Promise<{ sequence: number; entry: Uint8Array }[]> {
  const rows = await sql`
    select sequence::text, entry from log_leaf
    where sequence >= ${String(from)} and sequence < ${String(from + count)} order by log_leaf.sequence`;
  return rows.map((row) => ({ sequence: Number(row['sequence']), entry: row['entry'] as Uint8Array }));
}

export async function insertCheckpoint(
  { sql }: Queries,
  checkpoint: Omit<StoredCheckpoint, 'ageSeconds'>,
): Promise<void> {
  await sql`
    insert into log_checkpoint (size, root, note, cosigned)
    values (${String(checkpoint.size)}, ${Buffer.from(checkpoint.root)}, ${checkpoint.note}, ${checkpoint.cosigned})`;
}

/** The newest that counts: with a witness, only what it has cosigned. */
export async function findLatestCheckpoint(
  { sql }: Queries,
  filter: { cosignedOnly: boolean; size?: number },
): Promise<StoredCheckpoint | undefined> {
  const ofSize = filter.size === undefined ? sql`` : sql`and size = ${String(filter.size)}`;
  const cosigned = filter.cosignedOnly ? sql`and cosigned` : sql``;
  const [row] = await sql`
    select size::text, root, note, cosigned, extract(epoch from clock_timestamp() - create_time)::float8 as age
    from log_checkpoint where true ${ofSize} ${cosigned} order by id desc limit 1`;
  return row && rowToCheckpoint(row);
}

/** Up to `countMax` checkpoints by growing size, spread over the log, the newest one last. */
export async function listCheckpoints({ sql }: Queries, cosignedOnly: boolean, countMax: number): Promise<string[]> {
  const rows = await sql`
    with newest as (
      select distinct on (size) size, note from log_checkpoint
      where cosigned or not ${cosignedOnly} order by size, id desc
    ), numbered as (
      select note, size, row_number() over (order by size) as position, count(*) over () as total from newest
    )
    select note from numbered
    where position = total or position % greatest(1, ceil(total::numeric / ${countMax - 1})::bigint) = 0
    order by size`;
  return rows.map((row) => String(row['note']));
}

/** RFC 3339 in UTC with the microseconds that PostgreSQL keeps, the same on every read. */
export function utcText(sql: Queries['sql'], expression: ReturnType<Queries['sql']>) {
  return sql`to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** postgres.js writes arrays of bytea only as text. */
export function byteaArray(values: readonly (Uint8Array | null)[]): string {
  const items = values.map((bytes) => (bytes === null ? 'NULL' : `"\\\\x${Buffer.from(bytes).toString('hex')}"`));
  return `{${items.join(',')}}`;
}

function rowToState(row: Record<string, unknown> | undefined): LogState {
  if (!row) throw new Error('The log has no state: audit_db was not migrated.');
  const size = Number(row['size']);
  return {
    size,
    edge: edgeFromBytes(size, row['edge'] as Uint8Array),
    minimumIndex: Number(row['minimum_index']),
  };
}

function rowToCheckpoint(row: Record<string, unknown>): StoredCheckpoint {
  return {
    size: Number(row['size']),
    root: row['root'] as Uint8Array,
    note: String(row['note']),
    cosigned: row['cosigned'] === true,
    ageSeconds: Number(row['age']),
  };
}
