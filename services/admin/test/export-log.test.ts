import { randomInt } from 'node:crypto';
import { uuidv7 } from '@strongroom/platform/crypto';
import {
  appendLeaves,
  emptyTreeState,
  formatVerifierKey,
  leafHash,
  recordToEntry,
  rootFromState,
  signCheckpoint,
  type VerifyResult,
  verifyExport,
} from '@strongroom/tlog';
import tap from 'tap';
import { recordToAuditRecord } from '../src/audit/audit-record.ts';
import { listRecordRange } from '../src/audit/audit-store.ts';
import { exportAuditLog } from '../src/audit/export-log.ts';
import { insertCheckpoint, insertLeaves, storeTree } from '../src/audit/log-store.ts';
import type { Queries } from '../src/queries.ts';
import { createLogFixture, type LogFixture, makeEvent, origin } from './log-fixture.ts';

const rowCount = 8_000;
const batchRows = 1_000;

/** As an auditor does it: with keys of his own, and the checkpoint he got from the witness. */
async function verify(log: LogFixture, queries: Queries): Promise<VerifyResult> {
  const witnessKeys = log.witness ? [log.witness.verifierKey] : [];
  const witnessed = await log.witness?.latest(origin);
  const logKeys = [formatVerifierKey(log.signer.key)];
  return verifyExport({
    chunks: exportAuditLog({ auditDatabase: queries, origin, logKeys, witnessKeys, cosignedOnly: false }),
    logKeys,
    witnessKeys,
    trustedCheckpoints: witnessed ? [{ label: 'witness', note: witnessed }] : [],
    nowSeconds: Math.floor(Date.now() / 1_000),
  });
}

class Undo extends Error {}

/** What somebody with every right does to the tables with triggers off, looked at from inside his transaction and undone. */
async function verifyTampered(log: LogFixture, tamper: (queries: Queries) => Promise<unknown>): Promise<VerifyResult> {
  let result: VerifyResult | undefined;
  await log.superuser
    .begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      const queries = { sql: sql as unknown as Queries['sql'] };
      await tamper(queries);
      result = await verify(log, queries);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  if (!result) throw new Error('nothing was verified');
  return result;
}

/** With the real log key: a whole new log of the rows as they are now. */
async function rewriteAndSign(log: LogFixture, queries: Queries): Promise<void> {
  const records = await listRecordRange(queries, 0, rowCount);
  const entries = records.map((record) => recordToEntry(recordToAuditRecord(record), record.salt));
  const { state, tiles } = appendLeaves(emptyTreeState(), entries.map(leafHash));
  await queries.sql`delete from log_leaf`;
  await queries.sql`delete from log_tile`;
  await queries.sql`delete from log_checkpoint`;
  for (let at = 0; at < records.length; at += batchRows) {
    const rows = records.slice(at, at + batchRows);
    await insertLeaves(
      queries,
      rows.map(({ sequence, eventId }) => ({ sequence, eventId, entry: entries[sequence] as Buffer })),
    );
  }
  await storeTree(queries, state, tiles);
  const root = rootFromState(state);
  const note = await signCheckpoint({ origin, size: state.size, root, extensions: [] }, [log.signer]);
  await insertCheckpoint(queries, { size: state.size, root, note, cosigned: false });
}

async function swap(sql: Queries['sql'], sequence: number): Promise<void> {
  const aside = 10 * rowCount;
  await sql`update audit_record set sequence = ${aside} where sequence = ${sequence}`;
  await sql`update audit_record set sequence = ${sequence} where sequence = ${sequence + 1}`;
  await sql`update audit_record set sequence = ${sequence + 1} where sequence = ${aside}`;
}

tap.test('B-log: whatever a superuser changes with triggers off is found offline, and its place named', async (t) => {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  const people = Array.from({ length: 50 }, () => uuidv7());
  const person = () => people[randomInt(people.length)] as string;
  for (let at = 0; at < rowCount; at += batchRows) {
    await log.append(
      Array.from({ length: batchRows }, () => makeEvent({ actorId: person(), details: { note: 'as it was' } })),
    );
    if (at % (2 * batchRows) === 0) await log.checkpointer.cover(at + batchRows);
  }
  await log.checkpointer.cover(rowCount);
  const bad = randomInt(rowCount - 300) + 100;
  t.comment(`bad row ${bad}`);

  const sound = await verify(log, log.auditDatabase);
  t.match(sound, { ok: true, size: rowCount, rowsHashed: rowCount });

  const changes: [string, (queries: Queries) => Promise<unknown>][] = [
    [
      'one byte of a fact',
      ({ sql }) => sql`update audit_record set details = '{"note":"as it Was"}' where sequence = ${bad}`,
    ],
    ['an actor', ({ sql }) => sql`update audit_record set actor_id = ${uuidv7()}::uuid where sequence = ${bad}`],
    [
      'a time by a microsecond',
      ({ sql }) => sql`update audit_record set occur_time = occur_time + interval '1 us' where sequence = ${bad}`,
    ],
    [
      'one byte of a sealed part',
      ({ sql }) =>
        sql`update audit_record set actor_sealed = set_byte(actor_sealed, 20, get_byte(actor_sealed, 20) # 1) where sequence = ${bad}`,
    ],
    ['a salt', ({ sql }) => sql`update audit_record set salt = sha256(salt) where sequence = ${bad}`],
    [
      'a fact that is no text',
      ({ sql }) => sql`update audit_record set details = '{"note":1.5}' where sequence = ${bad}`,
    ],
    ['two rows swapped', ({ sql }) => swap(sql, bad)],
    [
      'a row inserted twice',
      ({ sql }) =>
        sql`insert into audit_record (sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind, actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, subject_sealed, salt) select sequence, retention_class, event_id, action, resource_type, 'other', actor_id, actor_kind, actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time + interval '1 us', details, source, actor_sealed, subject_sealed, salt from audit_record where sequence = ${bad}`,
    ],
  ];
  for (const [what, tamper] of changes) {
    const result = await verifyTampered(log, tamper);
    t.equal(result.ok, false, `${what}: found`);
    if (!result.ok)
      t.ok(
        Math.abs((result.firstBadIndex ?? -9) - bad) <= (what.includes('twice') ? 1 : 0),
        `${what}: at ${result.firstBadIndex} (${result.message})`,
      );
  }

  const gap = await verifyTampered(
    log,
    ({ sql }) => sql`delete from audit_record where sequence in (${bad}, ${bad + 1})`,
  );
  t.match(gap, { ok: false, missing: { from: bad, to: bad + 2 } }, 'a hole');
  const tail = await verifyTampered(log, ({ sql }) => sql`delete from audit_record where sequence >= ${rowCount - 70}`);
  t.match(tail, { ok: false, missing: { from: rowCount - 70, to: rowCount } }, 'a tail');
  const all = await verifyTampered(log, ({ sql }) => sql`delete from audit_record`);
  t.match(all, { ok: false, missing: { from: 0, to: rowCount } }, 'all');

  const shortened = await verifyTampered(log, async ({ sql }) => {
    const [older] = await sql`select max(size) as size from log_checkpoint where size < ${rowCount}`;
    await sql`delete from log_checkpoint where size > ${String(older?.['size'])}::bigint`;
    await sql`delete from audit_record where sequence >= ${String(older?.['size'])}::bigint`;
  });
  t.equal(shortened.ok, false, 'cut back to an older, honestly cosigned checkpoint');
  t.equal(!shortened.ok && shortened.missing?.to, rowCount, 'the rows up to what the witness saw are named as missing');

  const rewritten = await verifyTampered(log, async (queries) => {
    await queries.sql`update audit_record set details = '{"note":"as it never was"}' where sequence = ${bad}`;
    await rewriteAndSign(log, queries);
  });
  t.match(rewritten, { ok: false, code: /REWRITTEN|UNWITNESSED/ }, 'rewritten and signed with the real log key');
  t.comment(JSON.stringify(rewritten));
});
