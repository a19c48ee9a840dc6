import { randomUUID } from 'node:crypto';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ReportFormat, ReportKind, ReportState } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import tap from 'tap';
import { type AdminFixture, startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

const start = new Date('2026-01-01T00:00:00Z');
const end = new Date('2026-02-01T00:00:00Z');
const period = { startTime: timestampFromDate(start), endTime: timestampFromDate(end) };
const within = (day: number) => timestampFromDate(new Date(Date.UTC(2026, 0, day)));

async function publishAll(admin: AdminFixture, given: Parameters<typeof makeEvent>[0][]) {
  const events = given.map((event, at) => makeEvent({ occurTime: within(1 + (at % 27)), ...event }));
  for (const event of events) await admin.publish(event);
  await until(
    async () => {
      const rows =
        await admin.superuser`select 1 from log_leaf where event_id = any(${events.map(({ id }) => id)}::uuid[])`;
      return rows.length === events.length ? true : undefined;
    },
    { what: 'the events in the log' },
  );
  return events;
}

tap.test(
  'S7.3: a report of each kind holds its records, names range and checkpoint, and is itself recorded',
  async (t) => {
    const person = randomUUID();
    const staff = { admins: [randomUUID(), randomUUID()], vendors: [person] };
    const admin = await startAdmin(t, {
      auth: {
        // Two pages of administrators, one of vendors.
        getUsers({ role, pageToken }) {
          const ids = role === Role.ADMIN ? staff.admins : staff.vendors;
          const at = Number(pageToken || '0');
          const users = [{ id: ids[at] ?? '', role: role ?? 0, status: UserStatus.ACTIVE, mfaEnabled: at === 0 }];
          return { users, nextPageToken: at + 1 < ids.length ? String(at + 1) : '' };
        },
      },
    });
    await publishAll(admin, [
      {
        action: 'USER_LOGIN_FAILED',
        resourceType: 'session',
        details: { reason: '=HYPERLINK("http://evil")' },
        ipAddress: '198.51.100.9',
      },
      { action: 'ACCOUNT_LOCKED', resourceType: 'user', actorName: '=1+2' },
      {
        action: 'USER_ROLE_CHANGED',
        resourceType: 'user',
        subjectId: person,
        details: { from: 'CUSTOMER', to: 'ADMIN' },
      },
      { action: 'PAYMENT_CREATED', details: { currencyCode: 'EUR', minorUnits: '1050' } },
      { action: 'PAYMENT_CREATED', details: { currencyCode: 'EUR', minorUnits: '50' } },
      { action: 'PAYMENT_CREATED', details: { currencyCode: 'JPY', minorUnits: '900' } },
      { action: 'SENSITIVE_READ', resourceType: 'user', resourceId: person },
      {
        action: 'PAYMENT_CREATED',
        occurTime: timestampFromDate(end),
        details: { currencyCode: 'EUR', minorUnits: '7' },
      },
    ]);
    const make = async (kind: ReportKind, format: ReportFormat, more: object = {}) => {
      const { report } = await admin.client.generateComplianceReport({ kind, format, ...period, ...more }, admin.as());
      if (!report) throw new Error('no report');
      return { ...report, text: Buffer.from(report.content).toString('utf8') };
    };

    const csv = await make(ReportKind.FAILED_SIGN_INS, ReportFormat.CSV);
    t.match(csv, { state: ReportState.COMPLETED, complete: true, rowCount: 2, firstSequence: 0n, lastSequence: 6n });
    t.match(csv.text, /Leaf range,0 to 6\r\n/);
    t.match(csv.text, /Control,"MET: /);
    t.match(csv.text, /strongroom\.test\/audit/, 'the checkpoint stands in it');
    t.match(csv.text, /,'=1\+2,/, 'a formula is defused');
    t.notMatch(csv.text, /(^|,)"?[=+@]/m, 'no cell begins as a formula');
    t.notOk(csv.text.includes('198.51.100.9'), 'nothing personal, which an erasure could not reach');

    const money = JSON.parse((await make(ReportKind.PAYMENT_ACTIVITY, ReportFormat.JSON)).text);
    t.equal(money.lines.length, 3, 'the end of the period is exclusive');
    t.match(
      Object.fromEntries(money.facts.map(({ name, value }: { name: string; value: string }) => [name, value])),
      { 'PAYMENT_CREATED EUR': '2, 1100 minor units', 'PAYMENT_CREATED JPY': '1, 900 minor units' },
      'sums by currency, never across',
    );
    t.equal((await make(ReportKind.PRIVILEGE_CHANGES, ReportFormat.JSON)).rowCount, 1);
    const review = await make(ReportKind.ACCESS_REVIEW, ReportFormat.JSON);
    t.equal(review.rowCount, 1);
    t.match(
      JSON.parse(review.text).access.map(({ userId, role, secondFactor }: Record<string, unknown>) => [
        userId,
        role,
        secondFactor,
      ]),
      [
        [staff.admins[0], 'ADMIN', true],
        [staff.admins[1], 'ADMIN', false],
        [person, 'VENDOR', true],
      ],
      'and who holds a role now, as auth has it',
    );
    t.equal((await make(ReportKind.DATA_ACCESS, ReportFormat.JSON, { subjectId: person })).rowCount, 2);
    const pdf = await make(ReportKind.FAILED_SIGN_INS, ReportFormat.PDF);
    t.match(pdf.text.slice(0, 8), /^%PDF-1\./);
    t.equal(pdf.contentType, 'application/pdf');

    const { report: read } = await admin.client.getReport({ id: csv.id }, admin.as());
    t.strictSame(Buffer.from(read?.content ?? []), Buffer.from(csv.content));
    const first = await admin.client.listReports({ pageSize: 4 }, admin.as());
    const second = await admin.client.listReports({ pageSize: 4, pageToken: first.nextPageToken }, admin.as());
    t.equal(new Set([...first.reports, ...second.reports].map(({ id }) => id)).size, 6);
    t.equal(second.nextPageToken, '');
    t.ok([...first.reports].every(({ content }) => content.length === 0));
    await until(
      async () => {
        const { events } = await admin.client.listAuditEvents({ action: 'REPORT_GENERATED' }, admin.as());
        return events.length === 6 ? true : undefined;
      },
      { what: 'six records of reports' },
    );
  },
);

tap.test('S7.3: a control is not called met if the range has a hole or a changed record', async (t) => {
  const admin = await startAdmin(t);
  await publishAll(
    admin,
    Array.from({ length: 40 }, () => ({ action: 'USER_LOGIN_FAILED', resourceType: 'session' })),
  );
  const make = async () => {
    const request = { kind: ReportKind.FAILED_SIGN_INS, format: ReportFormat.JSON, ...period };
    const { report } = await admin.client.generateComplianceReport(request, admin.as());
    return { ...report, document: JSON.parse(Buffer.from(report?.content ?? []).toString('utf8')) };
  };
  t.match(await make(), { complete: true, document: { control: /^MET/ } });
  const tamper = (statement: string) =>
    admin.superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql.unsafe(statement);
    });
  await tamper('update audit_record set details = \'{"a":"b"}\' where sequence = 11');
  t.match(await make(), { complete: false, document: { control: /^NOT ASSESSED/, faults: ['record 11 was changed'] } });
  await tamper('delete from audit_record where sequence = 11');
  t.match(await make(), { complete: false, document: { faults: ['record 11 is missing'] } });
});

tap.test('S7.3: a report needs a period, and a subject where it is about one', async (t) => {
  const admin = await startAdmin(t);
  const refused = (request: object) =>
    admin.client
      .generateComplianceReport(
        { kind: ReportKind.DATA_ACCESS, format: ReportFormat.CSV, ...period, ...request },
        admin.as(),
      )
      .catch((error: unknown) => error);
  t.ok(isServiceError(await refused({}), 'VALIDATION_FAILED'), 'no subject');
  t.ok(
    isServiceError(await refused({ subjectId: randomUUID(), endTime: period.startTime }), 'VALIDATION_FAILED'),
    'no period',
  );
  t.ok(
    isServiceError(
      await admin.client.getReport({ id: randomUUID() }, admin.as()).catch((error: unknown) => error),
      'REPORT_NOT_FOUND',
    ),
  );
});
