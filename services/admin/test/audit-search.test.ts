import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import tap from 'tap';
import { findRecords, type SearchFilter } from '../src/audit/audit-search.ts';
import { createLogFixture, type LogFixture, makeEvent } from './log-fixture.ts';

const recordCount = 12_000;
const batchSize = 500;
const pageSize = 50;
const spacingMs = 30_000;
const lateMs = 7_200_000;
const sequences = Array.from({ length: recordCount }, (_, sequence) => sequence);

/** What a record's details hold, by its position. */
const noteOf = (sequence: number) =>
  [
    'Everywhere',
    sequence % 50 === 0 ? 'fiftieth' : '',
    sequence % 300 === 0 ? 'three-hundredth' : '',
    sequence < 2_500 ? 'discontinued' : '',
    sequence === 17 ? 'Once 100%_of it: 🙂🙂🙂🙂🙂🙂🙂 and https://shop.example/everywhere' : '',
    sequence === 18 ? 'Once 100 %of it' : '',
    sequence === 100 ? 'fiftieth in everywhere' : '',
    sequence === 11_101 ? '§§' : '',
    sequence % 4 === 0 ? '01a227c0-9228-7164' : '',
    sequence % 700 === 3 ? '8c75a9d620e3cec9' : '',
    sequence % 4_000 === 21 ? 'https://shop.example/sometimes at the Everywhere' : '',
  ].join(' ');
const actionOf = (sequence: number) => (sequence % 3 === 0 ? 'USER_LOGIN' : 'PAYMENT_CREATED');
const nowMs = Date.now();
const recordedMs = (sequence: number) => nowMs - (recordCount - sequence) * spacingMs;
/** One in a hundred is taken in two hours late: 240 positions behind its time. */
const occurredMs = (sequence: number) => recordedMs(sequence) - (sequence % 100 === 1 ? lateMs : 0);

async function createSearchedLog(): Promise<LogFixture> {
  const log = await createLogFixture();
  for (let from = 0; from < recordCount; from += batchSize) {
    await log.append(
      sequences.slice(from, from + batchSize).map((sequence) =>
        makeEvent({
          action: actionOf(sequence),
          occurTime: timestampFromMs(occurredMs(sequence)),
          details: { note: noteOf(sequence) },
        }),
      ),
    );
  }
  await log.superuser`select ensure_audit_partitions(clock_timestamp() - interval '5 days')`;
  await log.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update audit_record set record_time =
      ${new Date(nowMs).toISOString()}::timestamptz - (${recordCount}::int - sequence) * interval '30 seconds'`;
  });
  await log.superuser`vacuum analyze audit_record`;
  return log;
}

const log = await createSearchedLog();
tap.teardown(log.close);

/** The positions on each page, until no page is left. */
async function readPages(filter: SearchFilter, descending: boolean): Promise<number[][]> {
  const pages: number[][] = [];
  let after: number | undefined;
  do {
    const { records, reached } = await findRecords(log.auditDatabase, filter, { limit: pageSize, descending, after });
    pages.push(records.map(({ sequence }) => sequence));
    after = reached ?? (records.length === pageSize ? records.at(-1)?.sequence : undefined);
  } while (after !== undefined);
  return pages;
}

tap.test('B-log: a text is found in every record that holds it, in one, in some or in all, page by page', async (t) => {
  const [startMs, endMs] = [recordedMs(1_000), recordedMs(11_000)];
  const period = { from: new Date(startMs).toISOString(), to: new Date(endMs).toISOString() };
  const isInPeriod = (sequence: number) => occurredMs(sequence) >= startMs && occurredMs(sequence) < endMs;
  const texts = [
    'everywhere',
    'FIFTIETH',
    'three-hundredth',
    'discontinued',
    '100%_of',
    '100 %of',
    '🙂🙂🙂🙂🙂🙂🙂',
    '%',
    '🙂',
    'Once',
    '§§',
    // Both ends of it stand in many records, all of it in one.
    'fiftieth in everywhere',
    'https://shop.example/everywhere',
    'sometimes at the everywhere',
    // Identifiers: of many records, of some, of none.
    '01a227c0-9228-7164',
    '8C75A9D620E3CEC9',
    'deadbeef-0000-4000',
    'nowhere',
    '???',
    'no such text anywhere in it',
  ];
  const others: [string, SearchFilter, (sequence: number) => boolean][] = [
    ['', {}, () => true],
    [' of an action', { action: 'USER_LOGIN' }, (sequence) => actionOf(sequence) === 'USER_LOGIN'],
    [' of a period', period, isInPeriod],
  ];
  for (const text of texts) {
    const holds = (sequence: number) => noteOf(sequence).toLowerCase().includes(text.toLowerCase());
    for (const [what, filter, isAsked] of others) {
      const expected = sequences.filter((sequence) => isAsked(sequence) && holds(sequence));
      for (const descending of [true, false]) {
        const pages = await readPages({ ...filter, text }, descending);
        const title = `'${text}'${what}, ${descending ? 'newest' : 'oldest'} first: ${expected.length}`;
        t.same(pages.flat(), descending ? expected.toReversed() : expected, title);
      }
    }
  }
});

tap.test('B-log: a page of a search ends where the work it may cost does, and names the next', async (t) => {
  const lengths = async (text: string) => (await readPages({ text }, true)).map(({ length }) => length);
  t.same(await lengths('nowhere'), [0], 'what the index knows to be nowhere needs one page');
  t.same(await lengths('once 100%_of'), [1], 'and so does what it finds once');
  t.equal((await lengths('discontinued'))[0], 0, 'what it finds too often is read on by position, so far');
  t.same(await lengths('???'), [0, 0], 'and what it knows nothing of');
  const [first = 0, ...more] = await lengths('three-hundredth');
  t.ok(first > 0 && first < pageSize && more.length > 0, 'a page may be short and not the last');
});
