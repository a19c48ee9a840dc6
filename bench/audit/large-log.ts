import { randomBytes } from 'node:crypto';
import { appendLeaves, emptyTreeState, leafHash, rootFromState, signCheckpoint } from '@strongroom/tlog';
import { insertCheckpoint, storeTree } from '../../services/admin/src/audit/log-store.ts';
import { createLogFixture, type LogFixture, origin } from '../../services/admin/test/log-fixture.ts';

const eventsAPerson = 200;
/** Records of a month and more, so that they lie in several partitions. */
export const logDays = 50;
const leavesAtOnce = 50_000;
/** What a hundred records are: common and rare actions, types and classes. */
export const shares: readonly (readonly [
  action: string,
  resourceType: string,
  retentionClass: string,
  percent: number,
])[] = [
  ['DB_WRITE', 'payment', 'change', 30],
  ['DB_WRITE', 'session', 'change', 13],
  ['DB_WRITE', 'user', 'change', 2],
  ['PAYMENT_CREATED', 'payment', 'money', 20],
  ['PAYMENT_COMPLETED', 'payment', 'money', 17],
  ['USER_LOGIN', 'session', 'authentication', 10],
  ['USER_LOGIN_FAILED', 'session', 'authentication', 5],
  ['SENSITIVE_READ', 'payment_method', 'access', 2],
  ['USER_ROLE_CHANGED', 'user', 'administration', 1],
];

/**
 * A log of many rows, written as fast as the server can: rows by one statement, indexes after them, the tree of the leaves
 * of the same rows. Person n is md5('person n') as a UUID, resource n md5('resource n').
 */
export async function createLargeLog(rowCount: number): Promise<LogFixture> {
  const log = await createLogFixture();
  const { superuser: sql } = log;
  for (const days of [logDays, logDays / 2, 0]) {
    await sql`select ensure_audit_partitions(clock_timestamp() - make_interval(days => ${days}))`;
  }
  const indexes = await sql`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = 'audit_record' and indexname <> 'audit_record_pkey'`;
  for (const index of indexes) await sql`drop index ${sql(index['name'])}`;
  await insertRows(log, rowCount);
  await sql`set maintenance_work_mem = '1GB'`;
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
  const kinds = shares.flatMap(([action, type, retentionClass, percent]) =>
    Array.from({ length: percent }, () => ({ action, type, retentionClass })),
  );
  await sql`
    insert into log_leaf (sequence, event_id, entry)
    select n, md5('event ' || n)::uuid, sha256(('entry ' || n)::bytea) from generate_series(0, ${rowCount - 1}::int) as n`;
  // Taken in within a second, but for one in a thousand, which came hours late. 37 is coprime to 100: the kinds alternate.
  await sql`
    insert into audit_record (sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind,
      actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, salt)
    select n, (${kinds.map((kind) => kind.retentionClass)}::text[])[1 + n * 37 % 100], md5('event ' || n)::uuid,
      (${kinds.map((kind) => kind.action)}::text[])[1 + n * 37 % 100],
      (${kinds.map((kind) => kind.type)}::text[])[1 + n * 37 % 100], md5('resource ' || n),
      md5('person ' || n / 100 * 61 % ${persons}::int)::uuid, 'user', '',
      md5('person ' || n / 100 * 67 % ${persons}::int)::uuid, '', md5('trace ' || n), md5('request ' || n),
      record_time - case when n % 1000 = 0 then interval '3 hours' else interval '1 second' end, record_time,
      jsonb_build_object('currencyCode', 'EUR', 'minorUnits', n::text), 'payments', sha256('sealed'), sha256(n::text::bytea)
    from generate_series(0, ${rowCount - 1}::int) as n,
      lateral (select now() - (${rowCount}::int - n) * (${logDays}::int * interval '1 day' / ${rowCount}::int)) as log (record_time)`;
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
