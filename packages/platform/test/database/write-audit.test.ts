import { uuidv7 } from '@strongroom/platform/crypto';
import { writeAudit } from '@strongroom/platform/database';
import t from 'tap';
import { act, createDatabaseFixture, type DatabaseFixture } from './fixture.ts';

interface WriteRecord {
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly actorKind: string;
  readonly actorName: string;
  readonly details: Record<string, string>;
}

const idsOf = ({ details }: WriteRecord) => details['ids']?.split(',') ?? [];

async function takeRecords(fixture: DatabaseFixture): Promise<WriteRecord[]> {
  const rows = await fixture.superuser<{ order_id: string; record: WriteRecord }[]>`
    select order_id, record from strongroom.outbox where record is not null order by order_id`;
  await fixture.superuser`delete from strongroom.outbox`;
  return rows.map(({ record }) => record);
}

t.test(
  'S4.4: every write is recorded in its transaction, with actor and changed columns and without values',
  async (t) => {
    const fixture = await createDatabaseFixture();
    t.teardown(() => fixture.close());
    const { database } = fixture;
    const id = uuidv7();
    await database.transaction(act, async (tx) => {
      await tx.sql`insert into account (id, owner, note) values (${id}, 'canary-owner', 'canary-note')`;
      await tx.sql`update account set note = 'canary-other', balance = 4 where id = ${id}`;
      await tx.sql`update account set balance = balance where id = ${id}`;
      await tx.sql`delete from account where id = ${id}`;
    });
    const records = await takeRecords(fixture);
    const common = {
      action: 'DB_WRITE',
      resourceType: 'payment',
      resourceId: id,
      actorKind: 'service',
      actorName: 'tester',
      requestId: 'request-1',
      traceId: act.traceId,
    };
    t.match(records, [
      { ...common, details: { table: 'account', operation: 'INSERT', rows: '1', databaseRole: 'platform_app' } },
      { ...common, details: { operation: 'UPDATE', columns: 'balance,note' } },
      { ...common, details: { operation: 'UPDATE' } },
      { ...common, details: { operation: 'DELETE' } },
    ]);
    t.equal(records.length, 4);
    t.notMatch(JSON.stringify(records), /canary/);

    await database
      .transaction(act, async (tx) => {
        await tx.sql`insert into account (id, owner) values (${id}, 'x')`;
        throw new Error('undone');
      })
      .catch((error: Error) => t.equal(error.message, 'undone'));
    t.equal((await takeRecords(fixture)).length, 0, 'no record of what did not happen');
  },
);

t.test('S4.4: a write by psql is recorded too, whatever it switches off', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { superuser } = fixture;
  await superuser.begin(async (psql) => {
    await psql`set local session_replication_role = replica`;
    await psql`insert into account (id, owner) values (gen_random_uuid(), 'x'), (gen_random_uuid(), 'y')`;
    await psql`update account set balance = 1000000`;
  });
  await superuser`truncate account`;
  const records = await takeRecords(fixture);
  t.match(records, [
    { actorKind: 'database', actorName: 'postgres', resourceId: '', details: { operation: 'INSERT', rows: '2' } },
    { actorKind: 'database', details: { operation: 'UPDATE', columns: 'balance', rows: '2' } },
    { actorKind: 'database', details: { operation: 'TRUNCATE', databaseRole: 'postgres' } },
  ]);
  t.equal(records[0]?.details['ids']?.split(',').length, 2);
});

t.test('S4.4: a role that may not write the outbox is recorded all the same', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { superuser } = fixture;
  await superuser
    .begin(async (psql) => {
      await psql`create role visitor_for_test`;
      await psql`grant insert on account to visitor_for_test`;
      await psql`set local role visitor_for_test`;
      await psql`insert into account (id, owner) values (gen_random_uuid(), 'x')`;
      await psql`reset role`;
      const [count] = await psql`select count(*)::int as count from strongroom.outbox`;
      t.equal(count?.['count'], 1);
      throw new Error('leave no role behind');
    })
    .catch((error: Error) => t.equal(error.message, 'leave no role behind'));
});

t.test('S4.4: a mass write costs one record a hundred rows, and every row is named', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database } = fixture;
  await database.sql`insert into account (id, owner) select gen_random_uuid(), 'x' from generate_series(1, 250)`;
  const inserts = await takeRecords(fixture);
  t.same(
    inserts.map(({ details }) => [details['rows'], details['ids']?.split(',').length]),
    [
      ['250', 100],
      ['250', 100],
      ['250', 50],
    ],
  );
  await database.sql`update account set balance = 1`;
  await database.sql`update account set balance = 2 where false`;
  const updates = await takeRecords(fixture);
  const ids = updates.flatMap(idsOf);
  t.equal(new Set(ids).size, 250);
  t.equal(updates.length, 3, 'a statement that wrote nothing leaves no record');
});

t.test('S4.4: keys of several columns, changed keys and upserts', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { database, superuser } = fixture;
  await superuser.unsafe(`
    create table setting (owner text, name text, value text, primary key (owner, name));
    grant select, insert, update, delete on setting to platform_app;
    ${writeAudit('setting', { key: ['owner', 'name'] })}`);
  const { sql } = database;
  await sql`insert into setting values ('o', 'n', 'v') on conflict (owner, name) do update set value = 'w'`;
  await sql`insert into setting values ('o', 'n', 'v') on conflict (owner, name) do update set value = 'w'`;
  await sql`update setting set name = 'm'`;
  const records = await takeRecords(fixture);
  t.match(records, [
    { resourceType: 'database_row', resourceId: 'o/n', details: { operation: 'INSERT' } },
    { resourceId: 'o/n', details: { operation: 'UPDATE', columns: 'value' } },
    { resourceId: '', details: { operation: 'UPDATE', columns: 'name,owner' } },
  ]);
  t.same(records[2]?.details['ids']?.split(',').sort(), ['o/m', 'o/n'], 'the old and the new key');
  t.throws(() => writeAudit('setting; drop table account'), TypeError);
});

t.test('S4.4: a function that knows the columns of its table records the same', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const { superuser } = fixture;
  const key = ['owner', 'number'];
  const compile = `select strongroom.compile_write_audit('entry', 'system_config', 'owner', 'number')`;
  const columns = 'owner uuid, number bigint, value text, "Odd name" integer, list text[], data json, extra jsonb';
  await superuser.unsafe(`
    create table entry (${columns}, primary key (owner, number));
    ${writeAudit('entry', { key, resourceType: 'system_config' })}`);
  const ids = ['0b0e7c61-3e0a-4c39-8a2c-1d8ed2b1d001', '0b0e7c61-3e0a-4c39-8a2c-1d8ed2b1d002'];
  const acts = JSON.stringify({ [`${ids[0]}/1`]: { ...act, actorKind: 'user', requestId: 'request-2' } });
  const own = `set_config('strongroom.acts', '${acts}', true)`;
  const writes = [
    `insert into entry select id::uuid, 1, 'a', 1, '{x}', '{"a": 1}', '{"a": 1}' from unnest('{${ids}}'::text[]) as id`,
    `insert into entry select '${ids[0]}', number from generate_series(2, 150) as number`,
    `delete from entry where number > 60`,
    `update entry set value = 'b', "Odd name" = null where owner = '${ids[1]}'`,
    `update entry set data = '{"a": 2}', extra = '"1"', list = null where number = 1`,
    `update entry set extra = '1' where number = 1`,
    `update entry set value = value`,
    `update entry set number = 1000 where number = 7`,
    `with given as materialized (select ${own}) update entry set value = 'c' from given where number in (1, 2)`,
    `with given as materialized (select ${own}, set_config('strongroom.acts_table', 'entry', true))
      update entry set value = 'd' from given where number in (1, 2)`,
    `with given as materialized (select ${own}, set_config('strongroom.acts_table', 'other', true))
      update entry set value = 'e' from given where number in (1, 2)`,
    `update entry set value = 'f' where false`,
    `truncate entry`,
  ];
  const recorded = async () => {
    for (const write of writes) await superuser.unsafe(write);
    const records = await takeRecords(fixture);
    return records.map((record) => ({ ...record, details: { ...record.details, ids: idsOf(record).sort() } }));
  };
  const known = await recorded();
  t.equal(known.filter(({ resourceId }) => resourceId === `${ids[0]}/1`).length, 2, 'with an act of their own');
  await superuser.unsafe(compile);
  t.same(await recorded(), known);
  await superuser`alter table entry add column later text`;
  await t.rejects(
    superuser`insert into entry (owner, number, later) values (${ids[0] ?? ''}, 1, 'x')`,
    /does not know/,
  );
  await superuser.unsafe(compile);
  await superuser`insert into entry (owner, number) values (${ids[0] ?? ''}, 1)`;
  await superuser`update entry set later = 'y'`;
  t.match(await takeRecords(fixture), [{}, { details: { columns: 'later' } }]);
});

t.test('S4.4: ids of records are UUIDs of version 7 in order of time', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const before = Date.now();
  const [row] = await fixture.superuser`select strongroom.uuidv7()::text as id, gen_random_uuid()::text as other`;
  const id = String(row?.['id']);
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const time = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
  t.ok(Math.abs(time - before) < 60_000);
});
