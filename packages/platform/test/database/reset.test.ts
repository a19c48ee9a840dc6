import { setTimeout as delay } from 'node:timers/promises';
import { createFaultProxy, until } from '@strongroom/testkit';
import t from 'tap';
import { createDatabaseFixture } from './fixture.ts';

const rounds = 8;

t.test(
  'F9: a query that meets the reset of its connection is answered, and no place in the pool is lost',
  async (t) => {
    const fixture = await createDatabaseFixture();
    t.teardown(() => fixture.close());
    const proxy = await createFaultProxy({ target: fixture.test.runtimeUrl });
    t.teardown(() => proxy.close());
    const database = await fixture.open({ DB_POOL_MAX_CONNECTIONS: '2' }, proxy.urlFor(fixture.test.runtimeUrl));
    const ask = () => database.sql<{ given: number }[]>`select ${1}::int as given`;
    for (let round = 0; round < rounds; round += 1) {
      // An idle connection each time, and a query at another moment after its reset.
      await until(() => Promise.all([ask(), ask()]));
      proxy.cut();
      await delay(round % 4);
      const answers = Promise.allSettled([ask(), ask()]);
      t.ok(await until(() => database.pool().active === 0), `round ${round}: nobody is left waiting`);
      for (const answer of await answers) {
        if (answer.status === 'fulfilled') t.equal(answer.value[0]?.given, 1);
        else t.match(answer.reason, { message: /unavailable|try again/i });
      }
    }
  },
);
