import { uuidv7 } from '@strongroom/platform/crypto';
import { actCte, isUniqueViolation, sqlState, timestampToProto } from '@strongroom/platform/database';
import { isServiceError } from '@strongroom/platform/errors';
import { eq, sql as orm } from 'drizzle-orm';
import { bigint, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import t from 'tap';
import { act, createDatabaseFixture } from './fixture.ts';

const account = pgTable('account', {
  id: uuid('id').primaryKey(),
  owner: text('owner').notNull(),
  balance: bigint('balance', { mode: 'bigint' }).notNull(),
  note: text('note'),
  changeTime: timestamp('change_time', { withTimezone: true, mode: 'string' }).defaultNow(),
});

t.test('S4.2: sql and orm of a transaction share its connection, and agree on every type', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const id = uuidv7();
  await database.transaction(act, async (tx) => {
    await tx.sql`insert into account (id, owner, balance) values (${id}, 'a', ${9007199254740993n})`;
    const [seen] = await tx.orm.select().from(account);
    t.match(seen, { id, owner: 'a', balance: 9007199254740993n }, 'the orm sees what sql has not yet committed');
    t.type(seen?.changeTime, 'string');
    const pids = [
      (await tx.sql`select pg_backend_pid() as pid`)[0]?.['pid'],
      (await tx.orm.execute<{ pid: number }>(orm`select pg_backend_pid() as pid`))[0]?.pid,
    ];
    t.equal(pids[0], pids[1]);
    await tx.orm
      .transaction(async (inner) => {
        await inner.update(account).set({ owner: 'savepoint' });
        throw new Error('rolled back to here');
      })
      .catch((error: Error) => t.equal(error.message, 'rolled back to here'));
  });
  const [row] = await database.sql<{ owner: string; balance: bigint; change_time: string }[]>`select * from account`;
  t.equal(row?.owner, 'a');
  t.equal(row?.balance, 9007199254740993n);
  t.ok(timestampToProto(row?.change_time ?? '').seconds > 1_700_000_000n);
  const [same] = await database.orm.select().from(account);
  t.equal(same?.balance, row?.balance);
  t.equal(same?.changeTime, row?.change_time);
});

t.test('measured: a query of drizzle is prepared once for each connection', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  await fixture.database.transaction(act, async (tx) => {
    for (const owner of ['a', 'b', 'c']) await tx.orm.select().from(account).where(eq(account.owner, owner));
    const statements = await tx.sql`
      select generic_plans + custom_plans as runs from pg_prepared_statements where statement like '%"account"."owner" = $1'`;
    t.same([...statements], [{ runs: 3n }]);
  });
});

t.test('measured: JSON goes in as text and comes out whole, in both clients', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const value = { a: [1, 'two', null], b: { c: 'ü"\\' } };
  const [bySql] =
    await database.sql`select ${JSON.stringify(value)}::jsonb as value, jsonb_typeof(${JSON.stringify(value)}::jsonb) as type`;
  t.same(bySql, { value, type: 'object' });
  const [byHelper] = await database.sql`select ${database.sql.json(value)} as value`;
  t.same(byHelper?.['value'], value);
  const table = pgTable('shape', { content: jsonb('content') });
  await fixture.superuser`create table shape (content jsonb)`;
  await fixture.superuser`grant all on shape to platform_app`;
  await database.orm.insert(table).values({ content: value });
  t.same(await database.orm.select().from(table), [{ content: value }]);
  t.same(await database.sql`select jsonb_typeof(content) as type from shape`, [{ type: 'object' }]);
});

t.test('measured: arrays of timestamps go in and come out', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { sql } = fixture.database;
  const times = ['2026-11-24 20:05:00.123456+00', '2026-11-25 20:05:00+00'];
  const [row] = await sql`select ${times}::timestamptz[] as times, ${[1n, 2n].map(String)}::bigint[] as numbers`;
  t.same(row, { times, numbers: [1n, 2n] });
});

t.test(
  'F9: arrays of every type go in and come out on a connection that never asked the server about them',
  async (t) => {
    const fixture = await createDatabaseFixture();
    t.teardown(() => fixture.close());
    const { sql } = fixture.database;
    // postgres.js takes a list of bigints for one of them: those go in as text.
    const values: [type: string, given: unknown[], read?: unknown[]][] = [
      ['text', ['a,b', '{"q\\uote"}', '', 'NULL', ' ']],
      ['uuid', [uuidv7(), uuidv7()]],
      ['bigint', ['9007199254740993', '-1'], [9007199254740993n, -1n]],
      ['integer', [1, -2]],
      ['double precision', [0.5]],
      ['jsonb', [{ a: 'b"\\' }, [1]]],
      ['text', []],
      ['text', [null, 'x']],
    ];
    for (const [type, given, read = given] of values) {
      const [row] = await sql`select ${given as never[]}::${sql.unsafe(type)}[] as value`;
      t.same(row?.['value'], read, type);
    }
  },
);

t.test('S4.4: the act of a transaction is set for it alone', async (t) => {
  const fixture = await createDatabaseFixture({ DB_POOL_MAX_CONNECTIONS: '1' });
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const actor = () => database.sql`select current_setting('strongroom.actor_name', true) as name`;
  const inside = await database.transaction(
    act,
    async (tx) => (await tx.sql`select current_setting('strongroom.actor_name') as name`)[0]?.['name'],
  );
  t.equal(inside, 'tester');
  t.notOk((await actor())[0]?.['name'], 'the next user of the connection has no actor');
  const id = uuidv7();
  const { sql } = database;
  await sql`with ${actCte(sql, act)} insert into account (id, owner, balance) select ${id}, ${'b'}, ${1n} from act`;
  t.notOk((await actor())[0]?.['name']);
  const [event] = await sql`select record from strongroom.outbox`;
  t.match(event?.['record'], { actorName: 'tester', requestId: 'request-1', resourceId: id }, 'a single statement too');
});

t.test('F37: serialization failures and deadlocks are run again, at most 3 times', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database, metrics } = fixture;
  const [first, second] = [uuidv7(), uuidv7()];
  await database.sql`insert into account (id, owner) values (${first}, 'a'), (${second}, 'b')`;
  const transfer = (from: string, to: string) =>
    database.transaction(act, async (tx) => {
      await tx.sql`update account set balance = balance - 1 where id = ${from}`;
      await tx.sql`update account set balance = balance + 1 where id = ${to}`;
    });
  const storm = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? transfer(first, second) : transfer(second, first))),
  );
  for (const outcome of storm) {
    if (outcome.status === 'rejected')
      t.ok(isServiceError(outcome.reason, 'UNAVAILABLE'), 'given up as 503, never 500');
  }
  const [sum] = await database.sql`select sum(balance)::int as sum from account`;
  t.equal(sum?.['sum'], 0, 'no transfer was half done');

  let runs = 0;
  const before = await metrics.value('db_transaction_retries_total');
  const failing = database.transaction(act, async (tx) => {
    runs += 1;
    await tx.sql`do $$ begin raise exception 'conflict' using errcode = '40001'; end $$`;
  });
  t.ok(isServiceError(await failing.catch((error: unknown) => error), 'UNAVAILABLE'));
  t.equal(runs, 4);
  t.equal((await metrics.value('db_transaction_retries_total')) - before, 3);
  const counter = uuidv7();
  await database.sql`insert into account (id, owner) values (${counter}, 'c')`;
  const serial = Array.from({ length: 6 }, () =>
    database.transaction(
      act,
      async (tx) => {
        const [row] = await tx.sql<{ balance: bigint }[]>`select balance from account where id = ${counter}`;
        await tx.sql`update account set balance = ${(row?.balance ?? 0n) + 100n} where id = ${counter}`;
      },
      { isolation: 'serializable' },
    ),
  );
  const done = (await Promise.allSettled(serial)).filter(({ status }) => status === 'fulfilled').length;
  const [row] = await database.sql<{ balance: bigint }[]>`select balance from account where id = ${counter}`;
  t.equal((row?.balance ?? 0n) / 100n, BigInt(done), 'no update was lost');
});

t.test('S6.2: errors of the database keep their code for us and say nothing to the caller', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database, superuser } = fixture;
  const id = uuidv7();
  await database.orm.insert(account).values({ id, owner: 'a', balance: 0n });
  const twice = await database.orm
    .insert(account)
    .values({ id, owner: 'a', balance: 0n })
    .catch((error: unknown) => error);
  t.equal(sqlState(twice), '23505');
  t.ok(isUniqueViolation(twice, 'account_pkey'));
  const inTransaction = await database
    .transaction(act, (tx) => tx.sql`insert into account (id, owner) values (${id}, 'a')`)
    .catch((error: unknown) => error);
  t.ok(isUniqueViolation(inTransaction));
  await superuser.unsafe(`alter database ${fixture.test.database} set default_transaction_read_only = on`);
  const readOnly = await fixture.open();
  t.same((await readOnly.sql`select count(*)::int as count from account`)[0], { count: 1 }, 'F12: reads go on');
  for (const write of [
    () => readOnly.sql`insert into account (id, owner) values (${uuidv7()}, 'a')`,
    () => readOnly.orm.insert(account).values({ id: uuidv7(), owner: 'a', balance: 0n }),
    () => readOnly.transaction(act, (tx) => tx.orm.insert(account).values({ id: uuidv7(), owner: 'a', balance: 0n })),
  ]) {
    const refused = await (async () => write())().catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'UNAVAILABLE'), 'F12: writes get 503');
  }
});

t.test('F10: a lock held by another is not waited for longer than the setting', async (t) => {
  const fixture = await createDatabaseFixture({ DB_LOCK_TIMEOUT_MS: '100' });
  t.teardown(() => fixture.close());
  const { database } = fixture;
  const id = uuidv7();
  await database.sql`insert into account (id, owner) values (${id}, 'a')`;
  const blocked = await database.transaction(act, async (tx) => {
    await tx.sql`select 1 from account where id = ${id} for update`;
    return database.sql`update account set owner = 'b' where id = ${id}`.catch((error: unknown) => error);
  });
  t.ok(isServiceError(blocked, 'UNAVAILABLE'));
});

t.test('S4.2: slow queries are logged without values, and counted by table and action', async (t) => {
  const fixture = await createDatabaseFixture({ DB_SLOW_QUERY_THRESHOLD_MS: '50' });
  t.teardown(() => fixture.close());
  const { database, metrics, log } = fixture;
  await database.sql`select pg_sleep(0.08), owner from account right join (select 1) as one on owner = ${'canary-value-4711'}`;
  await database.sql`insert into account (id, owner) values (${uuidv7()}, ${'canary-value-4711'})`;
  // On a busy machine the insert may be slow too.
  const slowSelects = () => log.lines.filter(({ msg, action }) => msg === 'slow query' && action === 'select');
  const slow = slowSelects();
  t.match(slow, [{ level: 'warn', table: 'account', action: 'select', statement: /owner = \$1/ }]);
  t.equal(slow.length, 1);
  t.notMatch(log.text(), /canary-value/);
  t.equal(await metrics.value('db_queries_total', { table: 'account', action: 'insert', outcome: 'ok' }), 1);
  t.equal(await metrics.value('db_slow_queries_total', { action: 'select' }), 1);
  const quiet = await fixture.open({ DB_ENABLE_SLOW_QUERY_LOGGING: 'false', DB_ENABLE_QUERY_METRICS: 'false' });
  await quiet.sql`select pg_sleep(0.08)`;
  t.equal(slowSelects().length, 1, 'each can be switched off');
  t.equal(await metrics.value('db_slow_queries_total', { action: 'select' }), 1);
});

t.test('S4.1: the runtime role has rows and nothing more', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database } = fixture;
  for (const ddl of [
    'create table other (id int)',
    'create table strongroom.other (id int)',
    'alter table account add column more text',
    'drop table account',
    'truncate account',
    'truncate strongroom.outbox',
    'alter table account disable trigger all',
    'drop trigger write_audit_insert on account',
    "set session_replication_role = 'replica'",
  ]) {
    const error = await database.sql.unsafe(ddl).catch((refused: unknown) => refused);
    t.equal(sqlState(error), '42501', ddl);
  }
  const owned = await database.sql`select relname from pg_class where pg_get_userbyid(relowner) = current_user`;
  t.equal(owned.length, 0);
});
