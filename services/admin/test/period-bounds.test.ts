import { randomInt } from 'node:crypto';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import tap from 'tap';
import { listRecords } from '../src/audit/audit-store.ts';
import { findEvidenceRange } from '../src/audit/period-bounds.ts';
import { createLogFixture, makeEvent } from './log-fixture.ts';

const recordCount = 300;
const periodCount = 30;
const minuteMs = 60_000;
/** Minutes between what happened and its record: most in time, some very late, some of a clock that is ahead. */
const delays = [0, 0, 0, 1, 4, 4.9, 5.1, 7, 90, 1_500, -1, -4.9, -5.1, -20];

tap.test('S4.2, S7.3: a period holds what occurred in it, however late it was recorded', async (t) => {
  const log = await createLogFixture();
  t.teardown(log.close);
  const nowMs = Date.now();
  const sequences = Array.from({ length: recordCount }, (_, sequence) => sequence);
  const recordedMs = (sequence: number) => nowMs - (recordCount - sequence) * minuteMs;
  const occurredMs = sequences.map(
    (sequence) => recordedMs(sequence) - (delays[randomInt(delays.length)] as number) * minuteMs,
  );
  const occurredAt = (sequence: number) => occurredMs[sequence] as number;
  await log.append(occurredMs.map((timeMs) => makeEvent({ occurTime: timestampFromMs(timeMs) })));
  // As if each had been taken in a minute after the one before it.
  await log.superuser`select ensure_audit_partitions(clock_timestamp() - interval '1 day')`;
  await log.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update audit_record
      set record_time = ${new Date(nowMs).toISOString()}::timestamptz - (${recordCount}::int - sequence) * interval '1 minute'`;
  });
  const oldestMs = Math.min(...occurredMs);
  for (let round = 0; round < periodCount; round += 1) {
    const [startMs, endMs] = [0, 0]
      .map(() => (round % 2 === 0 ? nowMs - randomInt(recordCount * minuteMs) : randomInt(oldestMs, nowMs)))
      .sort((a, b) => a - b) as [number, number];
    const { from, to } = { from: new Date(startMs).toISOString(), to: new Date(endMs).toISOString() };
    const expected = (fromMs: number, toMs: number) =>
      occurredMs.flatMap((timeMs, sequence) => (timeMs >= fromMs && timeMs < toMs ? [sequence] : []));
    const listed = async (filter: object) =>
      (await listRecords(log.auditDatabase, filter, { limit: recordCount, descending: false })).map(
        (row) => row.sequence,
      );
    const inside = expected(startMs, endMs);
    t.same(await listed({ from, to }), inside, `${from} to ${to}`);
    t.same(await listed({ from }), expected(startMs, Number.POSITIVE_INFINITY), `from ${from}`);
    t.same(await listed({ to }), expected(0, endMs), `to ${to}`);
    const before = sequences.findLast((sequence) => recordedMs(sequence) < startMs - 5 * minuteMs) ?? 0;
    const after = sequences.find((sequence) => recordedMs(sequence) > endMs + 5 * minuteMs) ?? recordCount - 1;
    const displaced = inside.filter((sequence) => Math.abs(recordedMs(sequence) - occurredAt(sequence)) > 5 * minuteMs);
    t.same(
      await findEvidenceRange(log.auditDatabase, { from, to }, { size: recordCount, minimumIndex: 0 }),
      { first: Math.min(before, ...displaced), last: Math.max(after, ...displaced) },
      'a report rests on all of it and on the records beside it',
    );
  }
});

tap.test('F14: the times of records never go back, whatever the clock does', async (t) => {
  const log = await createLogFixture();
  t.teardown(log.close);
  await log.append([makeEvent()]);
  await log.superuser`update log_state set record_time = clock_timestamp() + interval '3 seconds'`;
  const [ahead] = await log.superuser`select record_time::text as time from log_state`;
  await log.append([makeEvent()]);
  const [record] = await log.superuser`select record_time::text as time from audit_record where sequence = 1`;
  t.equal(record?.['time'], ahead?.['time']);
  await t.rejects(log.superuser`update log_state set record_time = clock_timestamp() - interval '1 hour'`, {
    code: '42501',
  });
});
