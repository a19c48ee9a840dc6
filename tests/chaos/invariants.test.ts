// Each invariant finds the bug that it is there for: ten are planted, one after the other, in a system that is well.
import t from 'tap';
import { startChaos } from './chaos-system.ts';
import { checkInvariants, type Evidence } from './invariants.ts';

t.setTimeout(300_000);

const chaos = await startChaos(t);
const { databases } = chaos;
const run = await chaos.run(t, 'planted');
await run.recovered(10_000);
const wellFaults = await run.end();
const [payment] = await databases.payments<{ id: string; description: string }[]>`
  select id::text, description from payments where status = 'completed' and description like 'planted-%' limit 1`;
if (payment === undefined) throw new Error('no payment was completed');

t.test('I1–I9 hold in a system that nothing has broken', async (t) => t.same(wellFaults, []));

/** With triggers and constraints off, as only a superuser can, and taken back afterwards by the statement that is given. */
function inDatabase(name: keyof Evidence['databases'], plant: string, remove: string) {
  const execute = (statement: string) =>
    databases[name].begin(async (sql) => {
      await sql.unsafe('set local session_replication_role = replica');
      await sql.unsafe(statement);
    });
  return async () => {
    await execute(plant);
    return () => execute(remove);
  };
}

type Plant = (evidence: Evidence) => Promise<() => Promise<unknown>> | Evidence;

const tokenOf = (evidence: Evidence) => evidence.history.attempts[0]?.token ?? '';
const withAttempt = (evidence: Evidence, more: { token?: string; status: number; key?: string }): Evidence => {
  const attempt = {
    route: 'POST /payments',
    token: more.token ?? '',
    startMs: evidence.history.healMs + 1,
    endMs: evidence.history.healMs + 2,
    status: more.status,
    hasRetryAfter: false,
    ...(more.key === undefined ? {} : { payment: { key: more.key, minorUnits: 1, id: 'another' } }),
  };
  return { ...evidence, history: { ...evidence.history, attempts: [...evidence.history.attempts, attempt] } };
};

const plants: readonly [invariant: string, bug: string, Plant][] = [
  [
    'I1',
    'the provider is charged twice for one payment',
    (evidence) => {
      const entries = evidence.provider.journal();
      return { ...evidence, provider: { journal: () => [...entries, { kind: 'charge', reference: payment.id }] } };
    },
  ],
  [
    'I1',
    'a retry of a key is answered with another payment',
    (evidence) => withAttempt(evidence, { status: 201, key: payment.description }),
  ],
  [
    'I2',
    'an acknowledged payment loses its amount',
    inDatabase(
      'payments',
      `update payments set minor_units = minor_units + 1 where id = '${payment.id}'`,
      `update payments set minor_units = minor_units - 1 where id = '${payment.id}'`,
    ),
  ],
  [
    'I3',
    'a write that was not acknowledged is left half done',
    inDatabase(
      'payments',
      `insert into idempotency_keys (user_id, method, key_hash, request_hash, lease_until, expire_time)
       values ('${payment.id}', 'planted', sha256('a'), sha256('b'), now() - interval '1 hour', now() + interval '2 days')`,
      `delete from idempotency_keys where method = 'planted'`,
    ),
  ],
  [
    'I4',
    'a posting is lost',
    inDatabase(
      'payments',
      `create table planted as select * from ledger_entries where minor_units > 0 and transaction_id in
         (select id from ledger_transactions where payment_id = '${payment.id}');
       delete from ledger_entries where id in (select id from planted)`,
      'insert into ledger_entries select * from planted; drop table planted',
    ),
  ],
  [
    'I4',
    'a version is skipped',
    inDatabase(
      'payments',
      `update payment_changes set version = version + 100 where payment_id = '${payment.id}' and version = 2`,
      `update payment_changes set version = version - 100 where payment_id = '${payment.id}' and version = 102`,
    ),
  ],
  [
    'I5',
    'an event vanishes from the audit log',
    inDatabase(
      'audit',
      `create table planted as select sequence, retention_class, record_time, event_id, resource_id from audit_record
         where action = 'PAYMENT_CREATED' and resource_id = '${payment.id}';
       update audit_record set resource_id = 'nothing' where resource_id = '${payment.id}' and action = 'PAYMENT_CREATED'`,
      `update audit_record a set resource_id = p.resource_id from planted p where a.sequence = p.sequence; drop table planted`,
    ),
  ],
  [
    'I6',
    'a revoked token is let in',
    (evidence) => {
      const planted = withAttempt(evidence, { token: tokenOf(evidence), status: 200 });
      const { history } = planted;
      return {
        ...planted,
        history: { ...history, revocations: [{ token: tokenOf(evidence), ackMs: history.healMs }] },
      };
    },
  ],
  ['I7', 'an internal error reaches a client', (evidence) => withAttempt(evidence, { status: 500 })],
  [
    'I8',
    'connections leak',
    (evidence) => {
      const { before, now } = evidence.resources;
      const leaking = [...now].map(([name, one]) => [name, { ...one, connections: one.connections + 20 }] as const);
      return { ...evidence, resources: { before, now: new Map(leaking) } };
    },
  ],
  [
    'I9',
    'an e-mail address is logged',
    (evidence) => ({ ...evidence, logLines: [...evidence.logLines, `{"msg":"hello ${evidence.canaries[1]}"}`] }),
  ],
];

for (const [invariant, bug, plant] of plants) {
  t.test(`${invariant} finds it when ${bug}`, async (t) => {
    const evidence = await chaos.evidence(run.history);
    const planted = await plant(evidence);
    const isEvidence = typeof planted === 'object';
    const found = await checkInvariants(isEvidence ? planted : await chaos.evidence(run.history));
    if (!isEvidence) await planted();
    t.ok(
      found.some((one) => one.startsWith(invariant)),
      `found: ${found.slice(0, 5).join('; ')}`,
    );
    t.same(await checkInvariants(await chaos.evidence(run.history)), [], 'and nothing once it is gone');
  });
}
