import type postgres from 'postgres';
import { createFieldCipher } from './field-cipher.ts';
import type { Keyring } from './keyring.ts';
import { OpenError } from './sealed-bytes.ts';
import type { SealedColumn } from './sealed-columns.ts';

/** Below what the detection of anomalies takes for a mass write (S4.4). */
const batchRows = 50;
/** A row that people change while it is being sealed again is met in the next pass; a few suffice under any load. */
const passesMax = 10;

export interface ReencryptOptions {
  /** A connection of one's own, not a service's pool: the job must not take a place from people. */
  readonly sql: postgres.Sql;
  readonly keyring: Keyring;
  readonly column: SealedColumn;
  /** Told after each batch: values done, and those that were to do when it began. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Reencrypted {
  readonly sealedAgain: number;
  /** Values that no key of the ring opens. They are left as they are. */
  readonly damaged: number;
  /** Values still under an older key: 0, or the column's writers don't have the new key yet. */
  readonly left: number;
}

interface StaleRow {
  readonly tid: string;
  readonly id: string;
  readonly sealed: Buffer;
}

/**
 * Seals every value of a column again that isn't under the active key, while the service goes on (F32). It remembers nothing:
 * what is stale is seen from the value itself, so a run that was broken off is just run again. A value that somebody wrote
 * meanwhile stays as he wrote it.
 */
export async function reencryptColumn(options: ReencryptOptions): Promise<Reencrypted> {
  const { sql, keyring, column, onProgress } = options;
  const total = await countStale(sql, column, keyring.activeKeyId);
  let sealedAgain = 0;
  let damaged = 0;
  for (let pass = 0; pass < passesMax; pass += 1) {
    damaged = 0;
    const before = sealedAgain;
    for await (const rows of staleRows(sql, column, keyring.activeKeyId)) {
      const resealed = rows.flatMap((row) => reseal(keyring, column, row) ?? []);
      damaged += rows.length - resealed.length;
      sealedAgain += await storeBatch(sql, column, resealed);
      onProgress?.(sealedAgain, total);
    }
    if (sealedAgain === before) break;
  }
  return { sealedAgain, damaged, left: (await countStale(sql, column, keyring.activeKeyId)) - damaged };
}

/** The key id stands in the header of each value: version, length, id. */
function isStale(sql: postgres.Sql, { column }: SealedColumn, activeKeyId: string) {
  const name = sql(column);
  return sql`${name} is not null
    and substring(${name} from 3 for get_byte(${name}, 1)) <> ${Buffer.from(activeKeyId, 'utf8')}`;
}

async function countStale(sql: postgres.Sql, column: SealedColumn, activeKeyId: string): Promise<number> {
  const [row] = await sql`
    select count(*)::int as count from ${sql(column.table)} where ${isStale(sql, column, activeKeyId)}`;
  return Number(row?.['count']);
}

async function* staleRows(sql: postgres.Sql, column: SealedColumn, activeKeyId: string): AsyncGenerator<StaleRow[]> {
  const query = sql<StaleRow[]>`
    select ctid::text as tid, ${sql.unsafe(column.row)} as id, ${sql(column.column)} as sealed
    from ${sql(column.table)} where ${isStale(sql, column, activeKeyId)}`;
  for await (const rows of query.cursor(batchRows)) yield [...rows];
}

interface Resealed extends StaleRow {
  readonly next: Buffer;
  readonly index: Buffer | null;
}

function reseal(keyring: Keyring, column: SealedColumn, row: StaleRow): Resealed | undefined {
  try {
    if (column.purpose !== 'field') {
      const plaintext = keyring.open(column.purpose, row.sealed, row.id);
      return { ...row, next: keyring.seal(column.purpose, plaintext, row.id), index: null };
    }
    const cipher = createFieldCipher(keyring);
    const place = { table: column.table, column: column.column, row: row.id };
    const plaintext = cipher.openBytes(row.sealed, place);
    const index = column.index === undefined ? null : cipher.index(plaintext.toString('utf8'), place);
    return { ...row, next: cipher.seal(plaintext, place), index };
  } catch (error) {
    if (error instanceof OpenError) return undefined;
    throw error;
  }
}

/** One transaction, whose writes are recorded with this job as their actor. Gives how many values were still as read. */
async function storeBatch(sql: postgres.Sql, column: SealedColumn, rows: readonly Resealed[]): Promise<number> {
  if (rows.length === 0) return 0;
  return sql.begin(async (tx) => {
    await tx`
      select set_config('strongroom.actor_kind', 'service', true), set_config('strongroom.actor_name', 're-encryption', true)`;
    let stored = 0;
    for (const { tid, sealed, next, index } of rows) {
      const withIndex = column.index === undefined ? tx`` : tx`, ${tx(column.index)} = ${index}`;
      const { count } = await tx`
        update ${tx(column.table)} set ${tx(column.column)} = ${next} ${withIndex}
        where ctid = ${tid}::tid and ${tx(column.column)} = ${sealed}`;
      stored += count;
    }
    return stored;
  });
}
