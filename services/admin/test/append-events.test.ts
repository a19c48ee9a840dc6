import { uuidv7 } from '@strongroom/platform/crypto';
import { rootFromState } from '@strongroom/tlog';
import tap from 'tap';
import { listRecords } from '../src/audit/audit-store.ts';
import { readLogState } from '../src/audit/log-store.ts';
import { createLogFixture, makeEvent } from './log-fixture.ts';

tap.test(
  'B-outbox: an event enters the log once, at a dense position, however often and from however many it comes',
  async (t) => {
    const log = await createLogFixture();
    t.teardown(log.close);
    const events = Array.from({ length: 900 }, () => makeEvent());
    const batches = Array.from({ length: 12 }, (_, at) => events.slice(at * 70, at * 70 + 130));
    await Promise.all([...batches, ...batches].map(log.append));
    const [counts] = await log.superuser`
    select count(*)::int as records, count(distinct event_id)::int as events, min(sequence)::int as first,
      max(sequence)::int as last from audit_record`;
    t.strictSame({ ...counts }, { records: 900, events: 900, first: 0, last: 899 });
    t.equal((await readLogState(log.auditDatabase)).size, 900);
  },
);

tap.test('B-outbox, fault 36: a batch that fails leaves nothing behind, and comes again', async (t) => {
  const log = await createLogFixture();
  t.teardown(log.close);
  await log.append([makeEvent()]);
  const before = await readLogState(log.auditDatabase);
  const spoiled = makeEvent({ details: { text: 'no \u0000 in PostgreSQL' } });
  const sound = makeEvent();
  await t.rejects(log.append([sound, spoiled]));
  t.strictSame(rootFromState(await readLogState(log.auditDatabase)), rootFromState(before));
  await log.append([sound]);
  t.equal((await readLogState(log.auditDatabase)).size, 2);
});

tap.test("B-erase: personal data lie in the log only under the person's key", async (t) => {
  const log = await createLogFixture();
  t.teardown(log.close);
  const subjectId = uuidv7();
  await log.append([
    makeEvent({ subjectId, ipAddress: '198.51.100.23', personalDetails: { email: 'ada@example.com' } }),
  ]);
  const rows = await log.superuser`select to_jsonb(r)::text as text from audit_record r`;
  const text = String(rows[0]?.['text']);
  const hex = (clear: string) => Buffer.from(clear).toString('hex');
  for (const clear of ['198.51.100.23', 'ada@example.com']) {
    t.notOk(text.includes(clear) || text.includes(hex(clear)), `${clear} is not in the row`);
  }
  const [record] = await listRecords(log.auditDatabase, { subjectId }, { limit: 1, descending: true });
  t.ok(record?.actorSealed && record.subjectSealed);
});
