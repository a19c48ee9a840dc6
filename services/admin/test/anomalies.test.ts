import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { AnomalyKind, AnomalyState } from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import tap from 'tap';
import {
  type Baseline,
  emptyBaseline,
  judgePayment,
  judgeSignIn,
  judgeWrite,
  outlierScore,
} from '../src/anomaly/anomaly-rules.ts';
import { startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';
import { writeMmdb } from './mmdb.ts';

const hourMs = 3_600_000;
const berlin = { country: 'DE', latitude: 52.5, longitude: 13.4 };
const sydney = { country: 'AU', latitude: -33.9, longitude: 151.2 };

/** The same numbers in each run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

tap.test('S7.2: labelled traffic: attacks are found, honest people are left alone', async (t) => {
  const random = createRandom(7);
  const counts = { attacks: 0, found: 0, honest: 0, flagged: 0 };
  for (let person = 0; person < 200; person += 1) {
    let baseline: Baseline = emptyBaseline;
    let timeMs = Date.UTC(2026, 0, 1, 8);
    const usual = 2_000 + Math.floor(random() * 20_000);
    for (let day = 0; day < 60; day += 1) {
      timeMs += 24 * hourMs + (random() - 0.5) * 2 * hourMs;
      const signIn = judgeSignIn(baseline, { timeMs, deviceId: random() < 0.9 ? 'phone' : 'laptop', place: berlin });
      const minorUnits = Math.round(usual * (0.5 + random() * 1.5));
      const payment = judgePayment(signIn.baseline, { timeMs, currencyCode: 'EUR', minorUnits });
      baseline = payment.baseline;
      counts.honest += 2;
      counts.flagged += [signIn, payment].filter(({ findings }) => findings.some(({ score }) => score >= 0.5)).length;
    }
    const theft = judgeSignIn(baseline, { timeMs: timeMs + hourMs, deviceId: 'stolen', place: sydney });
    const drain = judgePayment(theft.baseline, {
      timeMs: timeMs + hourMs,
      currencyCode: 'EUR',
      minorUnits: usual * 40,
    });
    counts.attacks += 2;
    counts.found += [theft, drain].filter(({ findings }) => findings.some(({ score }) => score >= 0.5)).length;
    t.match(theft.findings.map(({ kind }) => kind).sort(), ['IMPOSSIBLE_TRAVEL', 'NEW_COUNTRY', 'NEW_DEVICE']);
  }
  t.comment(`recall ${counts.found / counts.attacks}, false positives ${counts.flagged / counts.honest}`);
  t.ok(counts.found / counts.attacks >= 0.95);
  t.ok(counts.flagged / counts.honest <= 0.005);
});

tap.test('S7.2: amounts are compared robustly, by currency, and velocity is told once', async (t) => {
  t.ok(outlierScore([100, 110, 95, 105, 100, 98, 102, 100], 10_000) > 6);
  t.ok(outlierScore([100, 100, 100, 100], 130) < 6, 'who always pays the same may pay a little more');
  let baseline: Baseline = emptyBaseline;
  const kinds: string[] = [];
  for (let at = 0; at < 25; at += 1) {
    const judged = judgePayment(baseline, { timeMs: 1_000 * at, currencyCode: 'EUR', minorUnits: 100 });
    baseline = judged.baseline;
    kinds.push(...judged.findings.map(({ kind }) => kind));
  }
  t.strictSame(kinds, ['VELOCITY']);
  t.strictSame(
    judgePayment(baseline, { timeMs: 9e6, currencyCode: 'JPY', minorUnits: 1e9 }).findings,
    [],
    'of yen nothing is known yet',
  );
});

tap.test(
  'S4.4: writes past the services, of many rows, and an emptied table are told; ordinary ones are not',
  async (t) => {
    const ordinary = {
      actorKind: 'user',
      databaseRole: 'payments_app',
      operation: 'UPDATE',
      rows: 3,
      table: 'payments',
    };
    t.strictSame(judgeWrite(ordinary), []);
    for (const suspicious of [
      { actorKind: 'database' },
      { databaseRole: 'postgres' },
      { databaseRole: 'payments_owner' },
      { databaseRole: '' },
      { rows: 100 },
      { operation: 'TRUNCATE', rows: 0 },
    ]) {
      t.match(judgeWrite({ ...ordinary, ...suspicious }), [{ kind: 'MASS_WRITE' }], JSON.stringify(suspicious));
    }
  },
);

tap.test(
  'S7.2: from the log to the list: place by address, writes past the services, resolution on record',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-geo-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'city.mmdb');
    await writeMmdb(file, [
      {
        network: '198.51.100.0/24',
        data: { country: { iso_code: 'DE' }, location: { latitude: 52.5, longitude: 13.4 } },
      },
      {
        network: '203.0.113.0/24',
        data: { country: { iso_code: 'AU' }, location: { latitude: -33.9, longitude: 151.2 } },
      },
    ]);
    const admin = await startAdmin(t, { env: { GEOIP_DATABASE_FILE: file } });
    const userId = randomUUID();
    const signIn = (hour: number, ipAddress: string, deviceId: string) =>
      makeEvent({
        action: 'USER_LOGIN',
        resourceType: 'session',
        actorId: userId,
        subjectId: userId,
        source: 'auth',
        ipAddress,
        deviceId,
        occurTime: timestampFromDate(new Date(Date.UTC(2026, 5, 1, hour))),
      });
    const events = [
      ...Array.from({ length: 6 }, (_, at) => signIn(8 + at, '198.51.100.5', 'phone')),
      signIn(15, '203.0.113.5', 'other'),
      makeEvent({
        action: 'DB_WRITE',
        actorId: '',
        actorKind: 'database',
        actorName: 'payments_owner',
        details: { table: 'payments', operation: 'UPDATE', rows: '1' },
      }),
    ];
    for (const event of events) await admin.publish(event);
    const found = await until(
      async () => {
        const { anomalies } = await admin.client.listAnomalies({ pageSize: 100 }, admin.as());
        return anomalies.length >= 4 ? anomalies : undefined;
      },
      { what: 'the anomalies' },
    );
    const kinds = found.map(({ kind }) => kind).sort((a, b) => a - b);
    t.strictSame(kinds, [
      AnomalyKind.NEW_COUNTRY,
      AnomalyKind.IMPOSSIBLE_TRAVEL,
      AnomalyKind.NEW_DEVICE,
      AnomalyKind.MASS_WRITE,
    ]);
    const travel = found.find(({ kind }) => kind === AnomalyKind.IMPOSSIBLE_TRAVEL);
    t.match(travel, { userId, eventId: events[6]?.id, action: 'step_up', state: AnomalyState.OPEN });
    t.match(travel?.reasons[0], /^\d{5} km in 2\.0 hours$/);
    t.equal((await admin.client.listAnomalies({ kind: AnomalyKind.MASS_WRITE }, admin.as())).anomalies.length, 1);
    t.equal((await admin.client.listAnomalies({ userId }, admin.as())).anomalies.length, 3);

    const id = travel?.id ?? '';
    const resolve = (state: AnomalyState) =>
      admin.client.resolveAnomaly({ id, state, resolution: 'was on holiday' }, admin.as());
    t.match((await resolve(AnomalyState.DISMISSED)).anomaly, {
      state: AnomalyState.DISMISSED,
      resolverId: admin.adminId,
    });
    await resolve(AnomalyState.DISMISSED);
    const refused = await resolve(AnomalyState.CONFIRMED).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'ANOMALY_ALREADY_RESOLVED'));
    for (const action of ['ANOMALY_DETECTED', 'ANOMALY_RESOLVED']) {
      await until(async () => (await admin.client.listAuditEvents({ action }, admin.as())).events[0], { what: action });
    }

    await (await admin.service('profile')).eraseSubject({ userId });
    const [known] =
      await admin.adminSuperuser`select count(*)::int as n from anomaly_baseline where user_id = ${userId}::uuid`;
    t.equal(known?.['n'], 0, 'an erasure takes along what was learnt');
    t.ok(
      (await admin.client.listAnomalies({ userId }, admin.as())).anomalies.every(({ reasons }) => reasons.length === 0),
    );
  },
);

tap.test(
  'S7.2: what a rule calls for is done through auth, and the person and the administrators are told',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-geo-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'city.mmdb');
    await writeMmdb(file, [
      { network: '198.51.100.0/24', data: { country: { iso_code: 'DE' } } },
      { network: '203.0.113.0/24', data: { country: { iso_code: 'AU' } } },
    ]);
    const [victim, traveller, chief] = [randomUUID(), randomUUID(), randomUUID()];
    const ended: string[] = [];
    const suspended: string[] = [];
    let isAway = true;
    const admin = await startAdmin(t, {
      env: { GEOIP_DATABASE_FILE: file, ANOMALY_BLOCK_RULES: 'VELOCITY', ANOMALY_STEP_UP_RULES: 'NEW_COUNTRY' },
      auth: {
        getUsers({ ids, role }) {
          if (isAway) throw new ConnectError('away', Code.Unavailable);
          const users = role === undefined ? ids : [chief];
          return {
            users: users.map((id) => ({ id, name: 'Ada', email: `${id}@example.com`, status: UserStatus.ACTIVE })),
          };
        },
        revokeUserSessions({ userId }) {
          ended.push(userId);
          return { revokedCount: 1 };
        },
        setStatus({ userId, status, actorId }) {
          t.match({ status, actorId }, { status: UserStatus.SUSPENDED, actorId: '' });
          suspended.push(userId);
          return {};
        },
      },
    });
    const signIn = (ipAddress: string) =>
      makeEvent({ action: 'USER_LOGIN', resourceType: 'session', actorId: traveller, subjectId: traveller, ipAddress });
    for (let at = 0; at < 6; at += 1) await admin.publish(signIn('198.51.100.5'));
    await admin.publish(signIn('203.0.113.5'));
    for (let at = 0; at < 12; at += 1) {
      const details = { currencyCode: 'EUR', minorUnits: '100' };
      await admin.publish(makeEvent({ actorId: victim, subjectId: victim, details }));
    }
    const state = async () => admin.adminSuperuser`
    select kind, action, enforce_time is not null as enforced, alert_time is not null as alerted from anomaly order by kind`;
    await until(async () => ((await state()).length === 2 ? true : undefined), { what: 'both anomalies' });
    t.ok(
      (await state()).every(({ enforced }) => enforced === false),
      'with auth away they wait',
    );
    isAway = false;
    await until(async () => ((await state()).every(({ enforced }) => enforced) ? true : undefined), {
      what: 'both done',
    });
    t.strictSame(
      [...(await state())],
      [
        { kind: 'NEW_COUNTRY', action: 'step_up', enforced: true, alerted: true },
        { kind: 'VELOCITY', action: 'block', enforced: true, alerted: true },
      ],
    );
    t.strictSame({ ended, suspended }, { ended: [traveller], suspended: [victim] });
    await admin.bus.ready();
    const notices = await until(
      async () => {
        const { state: stream } = await admin.bus
          .connection()
          .manager.streams.info('NOTICES', { subjects_filter: '>' });
        return stream.messages === 4 ? stream.subjects : undefined;
      },
      { what: 'two notices and two alerts' },
    );
    t.strictSame(notices, { 'strongroom.notices.unusual-activity': 2, 'strongroom.notices.anomaly-alert': 2 });
  },
);
