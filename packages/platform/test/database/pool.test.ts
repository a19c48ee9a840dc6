import { databaseVariables, loadConfig } from '@strongroom/platform/config';
import { createDatabase } from '@strongroom/platform/database';
import { isServiceError } from '@strongroom/platform/errors';
import { runInRequest } from '@strongroom/platform/telemetry';
import { createFaultProxy, createPrivateEngine, openSql, until } from '@strongroom/testkit';
import t from 'tap';
import { act, createDatabaseFixture, createTestLogger } from './fixture.ts';

function deadlineIn(ms: number) {
  const end = performance.now() + ms;
  return { remainingMs: () => Math.max(0, end - performance.now()) };
}

t.test('S4.1: with the pool exhausted callers wait, then get UNAVAILABLE, and it recovers', async (t) => {
  const fixture = await createDatabaseFixture({ DB_POOL_MAX_CONNECTIONS: '2', DB_POOL_WAIT_MS: '200' });
  t.teardown(() => fixture.close());
  const { database, metrics } = fixture;
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const holders = [1, 2].map(() =>
    database.transaction(act, async (tx) => {
      await tx.sql`select 1`;
      await held;
    }),
  );
  await until(() => database.pool().active === 2);
  const refusals = await Promise.all([
    database.sql`select 1`.catch((error: unknown) => error),
    database.transaction(act, async () => 'never').catch((error: unknown) => error),
    database.check().catch((error: unknown) => error),
  ]);
  for (const refusal of refusals) t.ok(isServiceError(refusal, 'UNAVAILABLE'), 'refused, not hung');
  t.equal(await metrics.value('db_connection_timeouts_total'), 3);
  const waiting = database.sql`select 1 as one`;
  waiting.catch(() => undefined);
  await until(() => database.pool().waiting === 1);
  letGo();
  await Promise.all(holders);
  t.same([...(await waiting)], [{ one: 1 }], 'who still waits gets the connection that is given back');
  t.equal(database.pool().active, 0);
  t.match(database.pool(), { max: 2, waiting: 0, total: 2, idle: 2 });
  t.match(await metrics.registry.metrics(), /db_pool_max_connections\{database="platform",process="test"\} 2/);
});

t.test('S4.1: more callers than connections all get their turn, in no more connections than allowed', async (t) => {
  const fixture = await createDatabaseFixture({ DB_POOL_MAX_CONNECTIONS: '3' });
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const rows = await Promise.all(
    Array.from({ length: 60 }, (_, index) => database.sql`select ${index}::int as index, pg_backend_pid() as pid`),
  );
  t.same(
    rows.map(([row]) => row?.['index']),
    Array.from({ length: 60 }, (_, index) => index),
  );
  t.ok(new Set(rows.map(([row]) => row?.['pid'])).size <= 3);
  t.ok(database.pool().total <= 3);
});

t.test('S5.3: a database that takes no connections is away, not broken, and comes back by itself', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database, test } = fixture;
  // From another one: the last connection can't shut itself out.
  const superuser = openSql(new URL('/postgres', test.superuserUrl).href);
  t.teardown(() => superuser.end());
  await superuser`alter database ${superuser(test.database)} allow_connections false`;
  await superuser`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${test.database} and pid <> pg_backend_pid()`;
  const ask = () =>
    database.sql`select 1`.then(
      () => 'answered',
      (error: unknown) => error,
    );
  await until(async () => isServiceError(await ask(), 'UNAVAILABLE'));
  t.ok(isServiceError(await ask(), 'UNAVAILABLE'), 'refused by PostgreSQL: 55000');
  const inside = database.transaction(act, (tx) => tx.sql`select 1`).catch((error: unknown) => error);
  t.ok(isServiceError(await inside, 'UNAVAILABLE'));
  await superuser`alter database ${superuser(test.database)} allow_connections true`;
  await until(async () => (await ask()) === 'answered');
  t.equal(await ask(), 'answered', 'by itself');
});

t.test('S4.2: a statement over its timeout is gone from the server', async (t) => {
  const fixture = await createDatabaseFixture({ DB_QUERY_TIMEOUT_MS: '150' });
  t.teardown(() => fixture.close());
  const { database, superuser } = fixture;
  const sleeping = () => superuser`
    select pid from pg_stat_activity
    where datname = ${fixture.test.database} and state = 'active' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`;
  const slept = database.sql`select pg_sleep(30)`.catch((error: unknown) => error);
  await until(async () => (await sleeping()).length === 1, { what: 'the backend sleeps' });
  t.ok(isServiceError(await slept, 'UNAVAILABLE'));
  t.equal((await sleeping()).length, 0, 'cancelled by the server, not only given up by the client');
});

t.test('B-shed: no statement outlives its deadline, in and out of a transaction', async (t) => {
  // Far beyond what the test waits: only the deadline can be what ends a statement here.
  const fixture = await createDatabaseFixture({ DB_QUERY_TIMEOUT_MS: '600000' });
  t.teardown(() => fixture.close());
  const { database, superuser } = fixture;
  const sleeping = async () =>
    (
      await superuser`select pid from pg_stat_activity where datname = ${fixture.test.database}
        and state = 'active' and query like '%pg_sleep(31)%' and pid <> pg_backend_pid()`
    ).length;
  const outside = runInRequest({ deadline: deadlineIn(150) }, () =>
    database.sql`select pg_sleep(31)`.catch((error: unknown) => error),
  );
  t.ok(isServiceError(await outside, 'DEADLINE_EXCEEDED'));
  await until(async () => (await sleeping()) === 0);
  const inside = await database
    .transaction(act, (tx) => tx.sql`select pg_sleep(31)`, { deadline: deadlineIn(150) })
    .catch((error: unknown) => error);
  t.ok(isServiceError(inside, 'DEADLINE_EXCEEDED'));
  await until(async () => (await sleeping()) === 0);
  const late = await database
    .transaction(
      act,
      async (tx) => {
        // A statement that begins late would get the whole rest again from the server: the cancel is what ends it.
        await tx.sql`set local statement_timeout = 0`;
        await tx.sql`select pg_sleep(31)`;
      },
      { deadline: deadlineIn(300) },
    )
    .catch((error: unknown) => error);
  t.ok(isServiceError(late, 'DEADLINE_EXCEEDED'));
  await until(async () => (await sleeping()) === 0);
  const after = await database
    .transaction(
      act,
      async (tx) => {
        await until(() => tx.deadline?.remainingMs() === 0);
        return tx.sql`select 1`;
      },
      { deadline: deadlineIn(30) },
    )
    .catch((error: unknown) => error);
  t.ok(isServiceError(after, 'DEADLINE_EXCEEDED'), 'nothing is begun after the deadline');
  t.equal(database.pool().active, 0, 'every place is given back');
});

t.test('S4.2: the server is told the rest of the deadline, for this transaction alone', async (t) => {
  const fixture = await createDatabaseFixture({ DB_POOL_MAX_CONNECTIONS: '1' });
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const shown = (await database.transaction(
    act,
    async (tx) => (await tx.sql`show statement_timeout`)[0]?.['statement_timeout'] as string,
    { deadline: deadlineIn(4_000) },
  )) as string;
  const shownMs = shown.endsWith('ms') ? Number(shown.slice(0, -2)) : Number(shown.slice(0, -1)) * 1000;
  t.ok(shownMs > 0 && shownMs <= 4_000, shown);
  t.equal((await database.sql`show statement_timeout`)[0]?.['statement_timeout'], '10s');
  t.equal((await database.sql`show lock_timeout`)[0]?.['lock_timeout'], '3s');
  t.match(await database.sql`show idle_in_transaction_session_timeout`, [
    { idle_in_transaction_session_timeout: '15s' },
  ]);
});

t.test('S4.1: closing waits for work in flight and takes no new work', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database } = fixture;
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const work = database.transaction(act, async (tx) => {
    await tx.sql`select 1`;
    await held;
    return (await tx.sql`select 7 as seven`)[0]?.['seven'];
  });
  await until(() => database.pool().active === 1);
  const closed = database.close();
  const refused = await database.sql`select 1`.catch((error: unknown) => error);
  t.ok(isServiceError(refused, 'UNAVAILABLE'));
  letGo();
  t.equal(await work, 7);
  await closed;
  t.equal(database.pool().total, 0);
});

t.test('F9: the pool finds the database again after it was killed, without a restart', async (t) => {
  const engine = await createPrivateEngine('postgres');
  t.teardown(() => engine.close());
  const config = await loadConfig(databaseVariables, { STRONGROOM_ENV: 'test', DATABASE_URL: engine.url });
  const { logger } = createTestLogger();
  const database = await createDatabase({ url: engine.url, name: 'lonely', config, logger });
  t.teardown(() => database.close());
  await database.sql`create table kept (id int)`;
  await database.sql`insert into kept values (1)`;
  const cut = database.sql`select pg_sleep(20)`.catch((error: unknown) => error);
  await until(() => database.pool().active === 1);
  await engine.kill();
  t.ok(isServiceError(await cut, 'UNAVAILABLE'), 'work in flight');
  t.ok(isServiceError(await database.sql`select 1`.catch((error: unknown) => error), 'UNAVAILABLE'), 'new work');
  await engine.start();
  const rows = await until(() => database.sql`select id from kept`, { what: 'the pool is back' });
  t.same([...rows], [{ id: 1 }]);
});

t.test('F40: a database that is not there at start is waited for', async (t) => {
  const engine = await createPrivateEngine('postgres');
  t.teardown(() => engine.close());
  await engine.stop();
  const config = await loadConfig(databaseVariables, { STRONGROOM_ENV: 'test', DATABASE_URL: engine.url });
  const { logger } = createTestLogger();
  const database = await createDatabase({ url: engine.url, name: 'early', config, logger });
  t.teardown(() => database.close());
  await t.rejects(database.check(), 'not ready');
  await engine.start();
  await until(async () => (await database.check()) === undefined && true);
  t.same([...(await database.sql`select 1 as one`)], [{ one: 1 }]);
});

t.test('faults, Postgres: a database that could lose what it committed is refused', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  await fixture.superuser.unsafe(`alter database ${fixture.test.database} set synchronous_commit = off`);
  await t.rejects(fixture.open(), { name: 'DurabilityError', message: /synchronous_commit/ });
  t.match(fixture.log.lines, [{ level: 'fatal' }]);
});

t.test('F13: a network that swallows packets costs a caller its deadline and no more', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const proxy = await createFaultProxy({ target: fixture.test.runtimeUrl });
  t.teardown(() => proxy.close());
  const database = await fixture.open({}, proxy.urlFor(fixture.test.runtimeUrl));
  await database.sql`select 1`;
  proxy.halfOpen();
  const inside = database
    .transaction(act, (tx) => tx.sql`select 1`, { deadline: deadlineIn(200) })
    .catch((error: unknown) => error);
  const outside = runInRequest({ deadline: deadlineIn(200) }, () =>
    database.sql`select 1`.catch((error: unknown) => error),
  );
  for (const refusal of await Promise.all([inside, outside])) {
    t.ok(isServiceError(refusal, 'UNAVAILABLE', 'DEADLINE_EXCEEDED'));
  }
});
