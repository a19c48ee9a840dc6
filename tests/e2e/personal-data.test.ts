// What the whole system records of an act and of a person, what of it is secret and leaves no trace, and what goes when the
// person goes.
import { join } from 'node:path';
import { createOtlpReceiver, openSql, until } from '@strongroom/testkit';
import { generateSync } from 'otplib';
import t, { type Test } from 'tap';
import type { EngineUrls } from '../../scripts/engines/index.ts';
import { readJson } from '../../scripts/support/files.ts';
import { freePort } from '../../scripts/support/ports.ts';
import { scrape } from '../chaos/scrape.ts';
import { dumpDatabase, filesWithMarkers, holdsMarker, markedRequests } from './canary.ts';
import { type SignedIn, send, startTestSystem, testPassword } from './system-fixture.ts';
import { checkTrace } from './trace.ts';

t.setTimeout(240_000);

const traces = await createOtlpReceiver();
const adminMetricsPort = await freePort();
const system = await startTestSystem(t.teardown, {
  LOG_LEVEL: 'debug',
  OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
  ADMIN_METRICS_PORT: String(adminMetricsPort),
});
t.teardown(() => traces.close());
const admin = await system.administrator();
const { databases } = (await readJson<EngineUrls>(join(system.dataDir, 'engines.json')))?.postgres ?? {};
if (databases === undefined) throw new Error('the system has left no engines.json');

const dumps = () =>
  Promise.all(Object.entries(databases).map(async ([name, url]) => ({ name, dump: await dumpDatabase(url) })));

const personal = {
  phone: '+4915735998877',
  address: 'Canary Alley 73, 4th floor',
  taxId: 'CNRY-TAX-73-5521',
  dateOfBirth: '1971-03-17',
};
const card = { number: '5555555555554444', expMonth: 12, expYear: 2031, cvc: '737' };
const iban = 'DE89370400440532013000';
const holderName = 'Canaria Holderson';

/** Each secret given or got in acts that succeed. */
async function actWithSecrets(t: Test, person: SignedIn): Promise<string[]> {
  const steps: [method: string, path: string, body: unknown, status: number][] = [
    ['PATCH', '/profile', personal, 200],
    ['POST', '/payment-methods', { card }, 201],
    ['POST', '/payment-methods', { bankAccount: { iban, holderName } }, 201],
  ];
  for (const [method, path, body, status] of steps) {
    const { status: got, text } = await send(system, person, method, path, body);
    t.equal(got, status, `${method} ${path} ${got === status ? '' : text}`);
  }
  const { json: totp } = await send(system, person, 'POST', '/auth/mfa/totp', {});
  const code = generateSync({ secret: totp.secret });
  const { json: confirmed } = await send(system, person, 'POST', '/auth/mfa/totp/confirm', { code });
  t.equal(confirmed?.backupCodes?.length, 10);
  return [
    ...Object.values(personal),
    card.number,
    iban,
    holderName,
    totp.secret,
    ...confirmed.backupCodes,
    testPassword,
    person.token.split('.')[2] as string,
  ];
}

t.test('SM: one trace leads from the edge through services, database and bus to the audit row', (t) =>
  checkTrace(t, system, traces),
);

t.test('B-canary: no secret of any RPC is in a database, the bus, a log, a trace, a cache or an error', async (t) => {
  const ada = await system.person('ada');
  const secrets = await actWithSecrets(t, ada);
  const answers: string[] = [];
  for (const { method, json } of markedRequests()) {
    const response = await fetch(`${system.gatewayUrl}/${method.parent.typeName}/${method.name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ada.token}`,
        'content-type': 'application/json',
        'connect-protocol-version': '1',
      },
      body: JSON.stringify(json),
    });
    answers.push(await response.text());
  }
  const markers = [...secrets, ...markedRequests().flatMap((request) => request.markers)];
  t.ok(markers.length > 40, `${markers.length} markers`);
  const echoed = markers.filter((marker) => answers.some((answer) => holdsMarker(answer, marker)));
  t.strictSame(echoed, [], 'errors');
  const all = await dumps();
  t.ok(
    all.some(({ dump }) => holdsMarker(dump, ada.email)),
    'what may be there is found',
  );
  for (const { name, dump } of all) {
    t.strictSame(
      markers.filter((marker) => holdsMarker(dump, marker)),
      [],
      `${name} database`,
    );
  }
  const last = markedRequests().at(-1)?.method.name ?? '';
  await traces.waitForSpan(({ service, name }) => service === 'gateway' && name.endsWith(`/${last}`));
  t.strictSame(
    markers.filter((marker) => traces.bodies.some((body) => holdsMarker(body, marker))),
    [],
    'traces',
  );
  for (const folder of ['logs', 'engines/nats', 'engines/redis']) {
    t.strictSame(await filesWithMarkers(join(system.dataDir, folder), markers), [], folder);
  }
});

t.test(
  'B-erase, older fault 44: a person exports everything, is erased everywhere, and the others keep what is theirs',
  async (t) => {
    const [eve, bob] = [await system.person('evelyn'), await system.person('bob')];
    await send(system, eve, 'PATCH', '/profile', { ...personal, bio: 'Evelyn collects sextants.' });
    const method = await send(system, eve, 'POST', '/payment-methods', { card });
    const paid = await send(system, eve, 'POST', '/payments', {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '4210' },
      recipientId: bob.id,
      description: 'one brass sextant',
      paymentMethodId: method.json.paymentMethod.id,
    });
    t.equal(paid.status, 201, 'a payment');
    await until(
      async () =>
        (await send(system, eve, 'GET', `/payments/${paid.json.payment.id}`)).json.payment.status ===
        'PAYMENT_STATUS_COMPLETED',
      {
        what: 'the completion',
        timeoutMs: 30_000,
      },
    );
    const exported = await until(
      async () => {
        const { text } = await send(system, eve, 'GET', '/profile/export');
        return text.includes('PAYMENT_CREATED') ? text : undefined;
      },
      { what: 'an export with what the log holds', timeoutMs: 30_000 },
    );
    for (const fact of [
      eve.email,
      ...Object.values(personal),
      'Evelyn collects sextants.',
      'one brass sextant',
      '4444',
      'USER_REGISTERED',
      paid.json.payment.id,
    ]) {
      t.ok(exported.includes(fact), `the export has ${fact}`);
    }

    const erased = await send(system, eve, 'POST', '/profile/erase', {});
    t.equal(erased.status, 200, 'the erasure');
    await until(
      async () => {
        const found = (await dumps()).flatMap(({ name, dump }) =>
          [eve.email, 'evelyn Test', 'Evelyn collects sextants.']
            .filter((fact) => dump.includes(fact))
            .map((fact) => `${name}: ${fact}`),
        );
        return found.length === 0 ? true : undefined;
      },
      { what: 'nothing of the person in any database', timeoutMs: 30_000 },
    );
    t.equal((await send(system, eve, 'GET', '/auth/me')).status, 401);
    t.equal(
      (await send(system, bob, 'GET', `/payments/${paid.json.payment.id}`)).json.payment.status,
      'PAYMENT_STATUS_COMPLETED',
      'the payee keeps his payment',
    );
  },
);

t.test('S4.4: what a superuser writes by psql is in the log without an actor, and the alerts see it', async (t) => {
  const ada = await system.person('ada');
  await send(system, ada, 'PATCH', '/profile', { bio: 'Hers' });
  const psql = openSql(databases.profile);
  t.teardown(() => psql.end());
  await psql`update profiles set bio = 'Not hers' where user_id = ${ada.id}::uuid`;
  await psql`insert into avatars (user_id, content) select gen_random_uuid(), '\\x00' from generate_series(1, 120)`;
  await psql`delete from avatars where content = '\\x00'`;
  const read = async (path: string) => (await send(system, admin, 'GET', path)).json;
  const event = await until(
    async () => {
      const { events } = await read(`/admin/audit-logs?action=DB_WRITE&resourceId=${ada.id}&pageSize=20`);
      return events?.find((found: { actorKind: string }) => found.actorKind === 'database');
    },
    { what: 'the record', timeoutMs: 30_000 },
  );
  t.match(event, {
    actorName: 'postgres',
    details: { table: 'profiles', operation: 'UPDATE', databaseRole: 'postgres' },
  });
  t.notOk(event.actorId, 'nobody is said to have done it');
  t.match(event.details.columns, /bio/);
  const series = [
    ['audit_actorless_writes_total', 'UPDATE'],
    ['audit_bulk_writes_total', 'DELETE'],
  ] as const;
  for (const [name, operation] of series) {
    await until(async () => (await scrape(adminMetricsPort, name, new RegExp(`operation="${operation}"`))) > 0, {
      what: `${name} of ${operation}, which its alert waits for`,
      timeoutMs: 30_000,
    });
  }
  const reasons = ['a write to profiles that no request made', 'a write to avatars that no request made'];
  await until(
    async () => {
      const { anomalies } = await read('/admin/anomalies?pageSize=100');
      const found = JSON.stringify(anomalies);
      return reasons.every((reason) => found.includes(reason));
    },
    { what: 'the anomalies', timeoutMs: 30_000 },
  );
});
