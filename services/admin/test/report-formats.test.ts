import { randomUUID } from 'node:crypto';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ReportFormat, ReportKind } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type { AuditEvent } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { until } from '@strongroom/testkit';
import { openCheckpoint } from '@strongroom/tlog';
import tap from 'tap';
import { type AdminFixture, startAdmin, trustOf } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';
import { type ReadReport, readCsv, readJson, readPdf, withoutSpace } from './report-reader.ts';

const start = new Date('2026-03-01T00:00:00Z');
const end = new Date('2026-04-01T00:00:00Z');
const [boss, person, other] = [randomUUID(), randomUUID(), randomUUID()];

const heads = [
  'sequence',
  'occurTime',
  'action',
  'actorId',
  'actorKind',
  'actorName',
  'subjectId',
  'resourceType',
  'resourceId',
  'source',
  'traceId',
  'details',
];
const accessHeads = ['userId', 'role', 'status', 'secondFactor', 'createTime'];

const readers: readonly (readonly [string, ReportFormat, (bytes: Uint8Array) => ReadReport | Promise<ReadReport>])[] = [
  ['CSV', ReportFormat.CSV, readCsv],
  ['JSON', ReportFormat.JSON, readJson],
  ['PDF', ReportFormat.PDF, readPdf],
];

/** What each kind of report must list, of what happens below. */
const kinds: readonly (readonly [kind: ReportKind, actions: readonly string[], title: string])[] = [
  [ReportKind.ACCESS_REVIEW, ['USER_REGISTERED', 'USER_ROLE_CHANGED', 'USER_DELETED'], 'Access review'],
  [ReportKind.FAILED_SIGN_INS, ['USER_LOGIN_FAILED', 'ACCOUNT_LOCKED', 'MFA_FAILED'], 'Failed sign-ins'],
  [
    ReportKind.PRIVILEGE_CHANGES,
    ['USER_ROLE_CHANGED', 'USER_DELETED', 'SECRET_ROTATED', 'LEGAL_HOLD_CHANGED'],
    'Privilege changes',
  ],
  [ReportKind.PAYMENT_ACTIVITY, ['PAYMENT_CREATED', 'PAYMENT_REFUNDED'], 'Payment activity'],
  [ReportKind.DATA_ACCESS, [], "Access to a person's data"],
];

/** A month of every action that a report lists and of some that none does, a few with facts longer than a page is wide. */
function makeMonth(): AuditEvent[] {
  const actions = [...new Set([...kinds.flatMap(([, listed]) => listed), 'USER_LOGIN', 'SENSITIVE_READ'])];
  return [person, other].flatMap((subjectId, round) =>
    actions.map((action, at) =>
      makeEvent({
        action,
        resourceType: action.startsWith('PAYMENT') ? 'payment' : 'user',
        subjectId,
        occurTime: timestampFromDate(new Date(Date.UTC(2026, 2, 1 + at, round))),
        details: {
          currencyCode: 'EUR',
          minorUnits: String(100 + at),
          reason: at % 3 === 0 ? `${'as long as a line can be, '.repeat(20)}and “said”, by Zoë ✓` : 'short, "quoted"',
          word: at % 4 === 0 ? 'x'.repeat(700) : 'x',
        },
      }),
    ),
  );
}

async function publishAll(admin: AdminFixture, events: readonly AuditEvent[]): Promise<Map<string, string>> {
  for (const event of events) await admin.publish(event);
  const rows = await until(
    async () => {
      const ids = events.map(({ id }) => id);
      const found = await admin.superuser`
        select event_id::text as id, sequence::text as sequence from log_leaf where event_id = any(${ids}::uuid[])`;
      return found.length === events.length ? found : undefined;
    },
    { what: 'the events in the log' },
  );
  return new Map(rows.map((row) => [String(row['id']), String(row['sequence'])]));
}

tap.test(
  'S7.3: five reports in three formats say all that the log holds of the period, and on what they rest',
  async (t) => {
    const createTime = new Date('2025-12-24T08:00:00Z');
    const admin = await startAdmin(t, {
      auth: {
        getUsers: ({ role = Role.UNSPECIFIED }) => ({
          users:
            role === Role.ADMIN
              ? [
                  {
                    id: boss,
                    role,
                    status: UserStatus.ACTIVE,
                    mfaEnabled: true,
                    createTime: timestampFromDate(createTime),
                  },
                ]
              : [],
        }),
      },
    });
    const month = makeMonth();
    const outside = [start, end].map((time, at) =>
      makeEvent({
        action: 'PAYMENT_CREATED',
        subjectId: person,
        occurTime: timestampFromDate(new Date(time.getTime() - 1 + at)),
      }),
    );
    const sequences = await publishAll(admin, [...month, ...outside]);
    const cellsOf = (event: AuditEvent) => [
      sequences.get(event.id) ?? '',
      (event.occurTime ? timestampDate(event.occurTime).toISOString() : '').replace('Z', '000Z'),
      event.action,
      event.actorId,
      event.actorKind,
      event.actorName,
      event.subjectId,
      event.resourceType,
      event.resourceId,
      event.source,
      event.traceId,
      ['currencyCode', 'minorUnits', 'reason', 'word'].map((name) => `${name}=${event.details[name]}`).join('; '),
    ];
    for (const [kind, actions, title] of kinds) {
      const isListed = ({ action, subjectId }: AuditEvent) =>
        kind === ReportKind.DATA_ACCESS ? subjectId === person : actions.includes(action);
      const expected = month
        .filter(isListed)
        .sort((a, b) => Number(sequences.get(a.id)) - Number(sequences.get(b.id)))
        .map(cellsOf);
      for (const [format, number, read] of readers) {
        const { report } = await admin.client.generateComplianceReport(
          {
            kind,
            format: number,
            startTime: timestampFromDate(start),
            endTime: timestampFromDate(end),
            ...(kind === ReportKind.DATA_ACCESS ? { subjectId: person } : {}),
          },
          admin.as(),
        );
        if (!report) throw new Error('no report');
        const what = `${title}, ${format}`;
        const { facts, holds } = await read(report.content);
        t.ok(holds(heads, expected), `${what}: its ${expected.length} lines, whole and no others`);
        if (kind === ReportKind.ACCESS_REVIEW) {
          const access = [boss, 'ADMIN', 'ACTIVE', 'true', createTime.toISOString()];
          t.ok(holds(accessHeads, [access]), `${what}: who holds a role`);
        }
        t.equal(facts.get('Lines'), String(expected.length), `${what}: their number`);
        t.equal(facts.get('Leaf range'), `${report.firstSequence} to ${report.lastSequence}`, `${what}: its range`);
        t.match(facts.get('Control'), /^MET: /, `${what}: its verdict`);
        t.equal(
          withoutSpace(facts.get('Checkpoint') ?? ''),
          withoutSpace(report.checkpoint),
          `${what}: its checkpoint`,
        );
        t.ok(
          openCheckpoint(report.checkpoint, await trustOf(admin)).checkpoint.size > Number(report.lastSequence),
          `${what}: signed, and it covers the range`,
        );
      }
    }
  },
);
