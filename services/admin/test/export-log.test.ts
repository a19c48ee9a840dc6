import { randomInt } from 'node:crypto';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Queryable } from '@strongroom/platform/database';
import tap from 'tap';
import { createLogFixture } from './log-fixture.ts';
import { fillLog, rewriteAndSign, swapRows, verifyLog, verifyTampered } from './tampering.ts';

/** Some tiles and a partial one; 100,000 are in tests/chaos/tampering.test.ts. */
const rowCount = 1_500;

tap.test('B-log: whatever a superuser changes with triggers off is found offline, and its place named', async (t) => {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  await fillLog(log, rowCount);
  const bad = randomInt(rowCount - 300) + 100;
  t.comment(`bad row ${bad}`);

  const { result: sound } = await verifyLog(log, log.auditDatabase);
  t.match(sound, { ok: true, size: rowCount, rowsHashed: rowCount });

  const changes: [string, (queries: Queryable) => Promise<unknown>][] = [
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
    [
      'facts turned into a text that reads the same',
      ({ sql }) => sql`update audit_record set details = to_jsonb(details::text) where sequence = ${bad}`,
    ],
    ['two rows swapped', (queries) => swapRows(queries, bad, bad + 1)],
    [
      'a row inserted twice',
      ({ sql }) =>
        sql`insert into audit_record (sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind, actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, subject_sealed, salt) select sequence, retention_class, event_id, action, resource_type, 'other', actor_id, actor_kind, actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time + interval '1 us', details, source, actor_sealed, subject_sealed, salt from audit_record where sequence = ${bad}`,
    ],
  ];
  for (const [what, tamper] of changes) {
    const { result } = await verifyTampered(log, tamper);
    t.equal(result.ok, false, `${what}: found`);
    if (!result.ok)
      t.ok(
        Math.abs((result.firstBadIndex ?? -9) - bad) <= (what.includes('twice') ? 1 : 0),
        `${what}: at ${result.firstBadIndex} (${result.message})`,
      );
  }

  const { result: gap } = await verifyTampered(
    log,
    ({ sql }) => sql`delete from audit_record where sequence in (${bad}, ${bad + 1})`,
  );
  t.match(gap, { ok: false, missing: { from: bad, to: bad + 2 } }, 'a hole');
  const { result: tail } = await verifyTampered(
    log,
    ({ sql }) => sql`delete from audit_record where sequence >= ${rowCount - 70}`,
  );
  t.match(tail, { ok: false, missing: { from: rowCount - 70, to: rowCount } }, 'a tail');
  const { result: all } = await verifyTampered(log, ({ sql }) => sql`delete from audit_record`);
  t.match(all, { ok: false, missing: { from: 0, to: rowCount } }, 'all');

  const { result: shortened } = await verifyTampered(log, async ({ sql }) => {
    const [older] = await sql`select max(size) as size from log_checkpoint where size < ${rowCount}`;
    await sql`delete from log_checkpoint where size > ${String(older?.['size'])}::bigint`;
    await sql`delete from audit_record where sequence >= ${String(older?.['size'])}::bigint`;
  });
  t.equal(shortened.ok, false, 'cut back to an older, honestly cosigned checkpoint');
  t.equal(!shortened.ok && shortened.missing?.to, rowCount, 'the rows up to what the witness saw are named as missing');

  const { result: rewritten } = await verifyTampered(log, async (queries) => {
    await queries.sql`update audit_record set details = '{"note":"as it never was"}' where sequence = ${bad}`;
    await rewriteAndSign(log, queries);
  });
  t.match(rewritten, { ok: false, code: /REWRITTEN|UNWITNESSED/ }, 'rewritten and signed with the real log key');
  t.comment(JSON.stringify(rewritten));
});
