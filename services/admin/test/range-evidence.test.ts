import { openCheckpoint } from '@strongroom/tlog';
import tap, { type Test } from 'tap';
import { collectEvidence } from '../src/report/range-evidence.ts';
import { createLogFixture, type LogFixture, makeEvent, origin } from './log-fixture.ts';

const recordCount = 300;
const hourMs = 3_600_000;
const period = {
  startTime: new Date(Date.now() - hourMs).toISOString(),
  endTime: new Date(Date.now() + hourMs).toISOString(),
};

/** A log of one hour, in the hands of somebody with every right on the database. */
async function createOpenLog(t: Test): Promise<LogFixture> {
  const log = await createLogFixture();
  t.teardown(log.close);
  await log.append(Array.from({ length: recordCount }, () => makeEvent()));
  await log.checkpointer.cover(recordCount);
  await log.superuser`set session_replication_role = replica`;
  return log;
}

/** Keeps what the tables hold; gives what puts it back. */
async function keepTables({ superuser: sql }: LogFixture): Promise<() => Promise<void>> {
  const tables = await sql`
    select table_name as name, array_agg(column_name::text) as columns from information_schema.columns
    where table_name in ('audit_record', 'log_leaf', 'log_tile', 'log_state') and is_generated = 'NEVER'
    group by table_name`;
  for (const { name } of tables) await sql`create temporary table ${sql(`kept_${name}`)} as table ${sql(name)}`;
  return async () => {
    for (const { name, columns } of tables) {
      await sql`delete from ${sql(name)}`;
      await sql`insert into ${sql(name)} (${sql(columns)}) select ${sql(columns)} from ${sql(`kept_${name}`)}`;
    }
  };
}

tap.test('S7.3: a range that is whole is evidence, of silence too', async (t) => {
  const { evidence, lines } = await collectEvidence(await createOpenLog(t), period, () => true);
  t.match(evidence, { firstSequence: 0, lastSequence: recordCount - 1, recordCount, faults: [] });
  t.equal(lines.length, recordCount);
  const empty = await createLogFixture();
  t.teardown(empty.close);
  t.match(await collectEvidence(empty, period, () => true), {
    evidence: { firstSequence: 0, lastSequence: -1, recordCount: 0, faults: [] },
    lines: [],
  });
});

tap.test('S7.3: no hole is unseen, wherever it is in the period', async (t) => {
  const last = recordCount - 1;
  const crimes: [what: string, fault: RegExp, tamper: (log: LogFixture) => Promise<unknown>][] = [
    [
      'one deleted',
      /^record 77 is missing$/,
      ({ superuser: sql }) => sql`delete from audit_record where sequence = 77`,
    ],
    [
      'the first deleted',
      /^record 0 is missing$/,
      ({ superuser: sql }) => sql`delete from audit_record where sequence = 0`,
    ],
    [
      'the last deleted',
      new RegExp(`^record ${last} is missing$`),
      ({ superuser: sql }) => sql`delete from audit_record where sequence = ${last}`,
    ],
    ['all deleted', /^record 0 is missing$/, ({ superuser: sql }) => sql`delete from audit_record`],
    [
      'the first moved out of the period',
      /^record 0 was changed$/,
      async ({ superuser: sql }) => {
        await sql`select ensure_audit_partitions(clock_timestamp() - interval '1 day')`;
        await sql`update audit_record set record_time = record_time - interval '1 day' where sequence = 0`;
      },
    ],
    [
      'the last moved out of the period',
      new RegExp(`^record ${last} was changed$`),
      async ({ superuser: sql }) => {
        await sql`select ensure_audit_partitions(clock_timestamp() + interval '1 day')`;
        await sql`update audit_record set record_time = record_time + interval '1 day' where sequence = ${last}`;
      },
    ],
    [
      'the log cut short, as its state has it too',
      /^the leaves of records 0 to 255 do not lead to the signed root$/,
      async ({ superuser: sql }) => {
        await sql`delete from audit_record where sequence >= 256`;
        await sql`delete from log_leaf where sequence >= 256`;
        await sql`update log_state set size = 256, edge = substr(edge, 44 * 32 + 1)`;
      },
    ],
    [
      'the leaves changed with their records',
      /^the leaves of records 0 to 255 do not lead to the signed root$/,
      ({ superuser: sql }) => sql`update log_tile set bytes = set_byte(bytes, 7, get_byte(bytes, 7) # 1)`,
    ],
  ];
  const log = await createOpenLog(t);
  const putBack = await keepTables(log);
  for (const [what, fault, tamper] of crimes) {
    await tamper(log);
    const { evidence } = await collectEvidence(log, period, () => true);
    t.match(evidence.faults[0], fault, what);
    await putBack();
  }
  t.strictSame((await collectEvidence(log, period, () => true)).evidence.faults, [], 'put back, all is as it was');
});

tap.test('S7.3: only what the log’s key has signed counts as its checkpoint', async (t) => {
  const log = await createOpenLog(t);
  await log.superuser`update log_checkpoint set note = replace(note, E'\n300\n', E'\n301\n'), size = 301`;
  const trust = { origin, logKeys: [log.signer.key], witnessKeys: [], quorum: 0 };
  const { evidence } = await collectEvidence(log, period, () => true);
  t.match(evidence, { recordCount, faults: [] }, 'the one that somebody changed counts for nothing');
  t.match(openCheckpoint(evidence.checkpoint, trust).checkpoint, { size: recordCount }, 'a new one was signed');
});
