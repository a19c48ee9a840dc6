import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateDatabase, sqlState } from '@strongroom/platform/database';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import t from 'tap';
import platformJournal from '../../migrations/meta/_journal.json' with { type: 'json' };

/** Migrations of a service, as drizzle-kit would write them. */
function writeMigrations(statements: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-migrations-'));
  mkdirSync(join(folder, 'meta'));
  const entries = statements.map((sql, idx) => {
    const tag = `000${idx}_step`;
    writeFileSync(join(folder, `${tag}.sql`), sql);
    return { idx, version: '7', when: 1_764_014_400_000 + idx, tag, breakpoints: true };
  });
  writeFileSync(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  return folder;
}

t.test(
  'F40: migrations run at once and again: one wins, the schema is the same, rights stay as they were',
  async (t) => {
    const test = await createTestDatabase('platform', { migrations: [] });
    const folder = writeMigrations([
      'create table thing (id int primary key)',
      // A table that only grows: what a migration takes away must stay away.
      'create table journal (id int primary key); revoke update, delete on journal from platform_app',
    ]);
    const [owner, app] = [openSql(test.ownerUrl), openSql(test.runtimeUrl)];
    t.teardown(async () => {
      await Promise.all([owner.end(), app.end()]);
      await test.drop();
      rmSync(folder, { recursive: true });
    });
    const options = { ownerUrl: test.ownerUrl, folder, runtimeRole: 'platform_app' };
    await Promise.all([migrateDatabase(options), migrateDatabase(options), migrateDatabase(options)]);
    const runs = () => owner`select (select count(*)::int from drizzle.platform_migrations) as platform,
    (select count(*)::int from drizzle.service_migrations) as service`;
    const before = await runs();
    t.match(before, [{ platform: platformJournal.entries.length, service: 2 }]);
    await migrateDatabase(options);
    t.same([...(await runs())], [...before], 'a second run finds nothing to do');

    await app`insert into thing values (1)`;
    await app`update thing set id = 2`;
    await app`insert into journal values (1)`;
    await app`select count(*) from strongroom.outbox`;
    const refused = async (statement: string) => sqlState(await app.unsafe(statement).catch((error: unknown) => error));
    for (const statement of [
      'update journal set id = 2',
      'delete from journal',
      'truncate thing',
      'create table more (id int)',
      'select * from drizzle.service_migrations',
    ]) {
      t.equal(await refused(statement), '42501', statement);
    }
  },
);

t.test('F40: a migration that fails leaves nothing half done, and lets go of the lock', async (t) => {
  const test = await createTestDatabase('platform', { migrations: [] });
  const folder = writeMigrations(['create table thing (id int primary key); select 1 / 0']);
  const owner = openSql(test.ownerUrl);
  t.teardown(async () => {
    await owner.end();
    await test.drop();
    rmSync(folder, { recursive: true });
  });
  const options = { ownerUrl: test.ownerUrl, folder, runtimeRole: 'platform_app' };
  await t.rejects(migrateDatabase(options));
  t.match(await owner`select to_regclass('thing') as found`, [{ found: null }]);
  writeFileSync(join(folder, '0000_step.sql'), 'create table thing (id int primary key)');
  await migrateDatabase(options);
  t.match(await owner`select to_regclass('thing')::text as found`, [{ found: 'thing' }]);
  await t.rejects(migrateDatabase({ ...options, runtimeRole: 'x; drop table thing' }), TypeError);
  await t.rejects(migrateDatabase({ ...options, folder: tmpdir() }), /holds no migrations/);
});
