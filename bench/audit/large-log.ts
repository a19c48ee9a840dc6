import { randomBytes } from 'node:crypto';
import { appendLeaves, emptyTreeState, leafHash, rootFromState, signCheckpoint } from '@strongroom/tlog';
import { insertCheckpoint, storeTree } from '../../services/admin/src/audit/log-store.ts';
import { createLogFixture, type LogFixture, origin } from '../../services/admin/test/log-fixture.ts';

const eventsAPerson = 200;
const leavesAtOnce = 50_000;
export const actions = ['USER_LOGIN', 'PAYMENT_CREATED', 'PAYMENT_COMPLETED', 'DB_WRITE', 'USER_LOGIN_FAILED'];

/**
 * A log of many rows, written as fast as the server can: rows by one statement, indexes after them, the tree of the leaves
 * of the same rows. Person n is md5('person n') as a UUID, resource n md5('resource n').
 */
export async function createLargeLog(rowCount: number): Promise<LogFixture> {
  const log = await createLogFixture();
  const { superuser: sql } = log;
  await sql`select ensure_audit_partitions(clock_timestamp())`;
  const indexes = await sql`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = 'audit_record' and indexname <> 'audit_record_pkey'`;
  for (const index of indexes) await sql`drop index ${sql(index['name'])}`;
  await insertRows(log, rowCount);
  await sql`set maintenance_work_mem = '512MB'`;
  // As PostgreSQL prints it, an index of a partitioned table leaves the partitions out.
  for (const index of indexes) await sql.unsafe(String(index['definition']).replace(' ON ONLY ', ' ON '));
  await growTree(log, rowCount);
  await sql`vacuum analyze audit_record`;
  await sql`vacuum analyze log_leaf`;
  return log;
}

export function personCount(rowCount: number): number {
  return Math.ceil(rowCount / eventsAPerson);
}

async function insertRows({ superuser: sql }: LogFixture, rowCount: number): Promise<void> {
  const persons = personCount(rowCount);
  await sql`
    insert into log_leaf (sequence, event_id, entry)
    select n, md5('event ' || n)::uuid, sha256(('entry ' || n)::bytea) from generate_series(0, ${rowCount - 1}::int) as n`;
  // The newest minute holds the last thousand or so, as in a system that is busy all day.
  await sql`
    insert into audit_record (sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind,
      actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, salt)
    select n, 'access', md5('event ' || n)::uuid, (${actions}::text[])[1 + n % 5], 'payment', md5('resource ' || n),
      md5('person ' || n % ${persons}::int)::uuid, 'user', '', md5('person ' || (n + 7) % ${persons}::int)::uuid, '',
      md5('trace ' || n), md5('request ' || n), now() - (${rowCount}::int - n) * interval '50 ms', now(),
      jsonb_build_object('currencyCode', 'EUR', 'minorUnits', n::text), 'payments', sha256('sealed'), sha256(n::text::bytea)
    from generate_series(0, ${rowCount - 1}::int) as n`;
}

async function growTree(log: LogFixture, rowCount: number): Promise<void> {
  let state = emptyTreeState();
  for (let from = 0; from < rowCount; from += leavesAtOnce) {
    const rows = await log.superuser`
      select entry from log_leaf where sequence >= ${from} and sequence < ${from + leavesAtOnce} order by sequence`;
    const grown = appendLeaves(
      state,
      rows.map((row) => leafHash(row['entry'])),
    );
    await storeTree(log.auditDatabase, grown.state, grown.tiles);
    state = grown.state;
  }
  const root = rootFromState(state);
  const note = await signCheckpoint({ origin, size: state.size, root, extensions: [] }, [log.signer]);
  await insertCheckpoint(log.auditDatabase, { size: state.size, root, note, cosigned: false });
}

/** Bytes that no record holds, for a search that finds nothing. */
export function absentText(): string {
  return randomBytes(16).toString('hex');
}
