import t from 'tap';
import { createClockCheck } from '../../src/service/clock-check.ts';
import { createDatabaseFixture } from '../database/fixture.ts';

t.test('ASVS V16.2.2: a clock that differs from the database’s is told, ahead or behind', async (t) => {
  const { database, close } = await createDatabaseFixture();
  t.teardown(close);
  const shifted = (byMs: number) => createClockCheck(database, () => Date.now() + byMs)();
  t.equal(await createClockCheck(database)(), undefined);
  t.equal(await shifted(4_000), undefined);
  t.match(await shifted(3_600_000), /^the clock differs from the database's by 3600 s$/);
  t.match(await shifted(-3_600_000), /^the clock differs from the database's by 3600 s$/);
});
