// The audit path under crashes: whatever dies and whenever, each act is in the log once (B-outbox, F1–F5, F28).
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { openSql, testEngines, until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { startEngines } from '../../scripts/engines/index.ts';
import { openProcessTable, stopProcess } from '../../scripts/support/process-table.ts';
import { type SignedIn, startTestSystem } from '../e2e/system-fixture.ts';

const fileTimeoutMs = 300_000;
const settleTimeoutMs = 60_000;
const paymentCount = 10;
t.setTimeout(fileTimeoutMs);

const system = await startTestSystem(t.teardown);
const audit = openSql(system.engines.postgres.databases.audit);
const outboxes = (['auth', 'payments', 'profile', 'admin'] as const).map((name) =>
  openSql(system.engines.postgres.databases[name]),
);
t.teardown(() => Promise.all([audit, ...outboxes].map((sql) => sql.end())));
const [ada, bob] = [await system.person('ada'), await system.person('bob')];

function paymentOf(key: string) {
  return {
    token: ada.token,
    headers: { 'idempotency-key': key },
    body: {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '4200' },
      recipientId: bob.id,
      description: 'Crash',
    },
  };
}

async function createPayments(person: SignedIn, tag: string): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < paymentCount; index++) {
    const answer = await person.post('/payments', paymentOf(`${tag}-${index}`));
    if (answer.status !== 201) throw new Error(`payment ${index} answered ${answer.status}: ${answer.text}`);
    ids.push(answer.body.payment.id);
  }
  return ids;
}

/** No outbox holds an event: the audit database has confirmed each. Notices stay until they run out. */
async function settled(): Promise<void> {
  await until(
    async () => {
      const counts = await Promise.all(
        outboxes.map((sql) => sql`select count(*)::int as count from strongroom.outbox where kind = 'event'`),
      );
      return counts.every(([row]) => row?.['count'] === 0);
    },
    { timeoutMs: settleTimeoutMs },
  );
}

async function createdCounts(ids: readonly string[]): Promise<number[]> {
  const rows = await audit`select resource_id, count(*)::int as count from audit_record
    where action = 'PAYMENT_CREATED' and resource_id = any(${[...ids]}) group by resource_id`;
  return ids.map((id) => Number(rows.find((row) => row['resource_id'] === id)?.['count'] ?? 0));
}

async function requireGapless(t: Test): Promise<void> {
  const [row] = await audit`select count(*)::int as count, coalesce(max(sequence) + 1, 0)::int as next,
    count(distinct event_id)::int as events from audit_record`;
  t.equal(row?.['count'], row?.['next'], 'I5: the sequence has no gap');
  t.equal(row?.['count'], row?.['events'], 'I5: no event stands twice');
}

t.test('F1: payments dies between commit and reply; the retry over gRPC finds the one payment', async (t) => {
  await system.kill('payments');
  await system.restart('payments', { STRONGROOM_FAILPOINTS: 'payments.create.after-commit=kill' });
  const cutOff = await ada.post('/payments', paymentOf('f1'));
  t.ok([502, 503, 504].includes(cutOff.status), `I7: ${cutOff.status}`);
  await system.kill('payments');
  await system.restart('payments');
  const client = createClient(PaymentsService, createGrpcTransport({ baseUrl: system.direct('payments') }));
  let replayed: string | null = null;
  const { payment } = await client.createPayment(
    {
      type: PaymentType.INSTANT,
      amount: { currencyCode: 'EUR', minorUnits: 4200n },
      recipientId: bob.id,
      description: 'Crash',
    },
    {
      headers: { authorization: `Bearer ${ada.token}`, 'idempotency-key': 'f1' },
      onHeader: (headers) => {
        replayed = headers.get('idempotency-replayed');
      },
    },
  );
  t.equal(replayed, 'true');
  await settled();
  t.same(await createdCounts([payment?.id ?? '']), [1], 'I1, I5: one payment, one event');
});

t.test('B-outbox: the relay dies after the bus took an event and before it noted so', async (t) => {
  await system.kill('payments');
  await system.restart('payments', { STRONGROOM_FAILPOINTS: 'outbox.relay.published=kill' });
  const first = await ada.post('/payments', paymentOf('relay-0'));
  await system.kill('payments');
  await system.restart('payments');
  const again = await ada.post('/payments', paymentOf('relay-0'));
  t.equal(again.status, 201, `after ${first.status}: ${again.text}`);
  await settled();
  t.same(await createdCounts([again.body.payment.id]), [1]);
  await requireGapless(t);
});

t.test('F28: the consumer dies after its commit and before the acknowledgement, again and again', async (t) => {
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    await system.kill('admin');
    const restarting = system.restart('admin', { STRONGROOM_FAILPOINTS: 'admin.ingest.after-commit=kill' });
    // It may die before it was ever ready: that is the point.
    await Promise.allSettled([restarting, createPayments(ada, `f28-${round}`).then((made) => ids.push(...made))]);
  }
  await system.kill('admin');
  await system.restart('admin');
  await settled();
  t.equal(ids.length, 3 * paymentCount, 'payments go on without the audit service');
  t.same(
    await createdCounts(ids),
    ids.map(() => 1),
  );
  await requireGapless(t);
});

t.test(
  'F4, F5: NATS is killed under load and comes back with its store wiped; no event is lost or doubled',
  async (t) => {
    await system.kill('admin');
    const before = await createPayments(ada, 'f5-before');
    const table = openProcessTable(system.dataDir);
    const nats = (await table.alive()).get('nats');
    if (nats === undefined) throw new Error('there is no NATS to kill');
    await stopProcess(nats, { signal: 'SIGKILL', graceMs: 5_000 });
    const during = await createPayments(ada, 'f5-during');
    await rm(join(system.dataDir, 'engines', 'nats', 'jetstream'), { recursive: true });
    const { packagesDir } = testEngines();
    await startEngines({ dataDir: system.dataDir, packagesDir, log: () => undefined, environment: {} });
    await system.restart('admin');
    await settled();
    const ids = [...before, ...during];
    t.same(
      await createdCounts(ids),
      ids.map(() => 1),
      'unconsumed events were published again',
    );
    await requireGapless(t);
  },
);

t.test('B-log: the audit table can’t be changed, as the service’s role and as its owner', async (t) => {
  const plan = system.plans.find(({ name }) => name === 'admin');
  const service = openSql(plan?.environment['AUDIT_DATABASE_URL'] ?? '');
  t.teardown(() => service.end());
  const changes = [
    `update audit_record set action = 'X'`,
    'delete from audit_record',
    'truncate audit_record',
    'truncate audit_record cascade',
  ];
  for (const change of changes) {
    await t.rejects(service.unsafe(change), { code: '42501' }, `service: ${change}`);
    await t.rejects(
      audit.begin(async (sql) => {
        await sql.unsafe('set local role audit_owner');
        await sql.unsafe(change);
      }),
      `owner: ${change}`,
    );
  }
});
