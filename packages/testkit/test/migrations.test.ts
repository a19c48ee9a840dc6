import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '@strongroom/testkit';
import t from 'tap';
import { runMigrations } from '../../../scripts/database/migrations.ts';

t.test('F40: migrations run once, also by two at once; one that was edited after it ran is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-migrations-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const database = await createTestDatabase('profile', { migrations: [] });
  t.teardown(() => database.drop());
  const write = async (...texts: string[]) => {
    const entries = texts.map((_, idx) => ({
      idx,
      version: '7',
      when: 1_000 + idx,
      tag: String(idx),
      breakpoints: true,
    }));
    await mkdir(join(folder, 'meta'), { recursive: true });
    await writeFile(
      join(folder, 'meta/_journal.json'),
      JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    );
    for (const [idx, text] of texts.entries()) await writeFile(join(folder, `${idx}.sql`), text);
  };
  const migrate = () => runMigrations(database.ownerUrl, [{ folder, table: 'service_migrations' }]);
  const first = 'create table thing (id int)';
  await write(first);
  t.same((await Promise.all([migrate(), migrate()])).sort(), [0, 1]);
  await write(first, 'alter table thing add column name text');
  t.equal(await migrate(), 1);
  await write('create table thing (id bigint)', 'alter table thing add column name text');
  await t.rejects(migrate(), /1 migrations of .* not those of this version.*rm -r \.data/);
});
