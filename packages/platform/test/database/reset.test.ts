import { setTimeout as delay } from 'node:timers/promises';
import type { Transaction } from '@strongroom/platform/database';
import { isServiceError } from '@strongroom/platform/errors';
import { createFaultProxy, until } from '@strongroom/testkit';
import t from 'tap';
import { act, createDatabaseFixture } from './fixture.ts';

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

t.test(
  'F9: a transaction that loses its connection, in a statement or between two, ends and takes nothing with it',
  async (t) => {
    const fixture = await createDatabaseFixture();
    t.teardown(() => fixture.close());
    const { database, superuser } = fixture;
    const backend = async (tx: Transaction) => {
      const [row] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      return row?.pid ?? 0;
    };
    const end = (pid: number) => superuser`select pg_terminate_backend(${pid}, 5000)`;
    const works: Record<string, (tx: Transaction) => Promise<unknown>> = {
      'in a statement': async (tx) => {
        const pid = await backend(tx);
        const sleep = tx.sql`select pg_sleep(20)`.execute();
        await end(pid);
        return sleep;
      },
      'in the first of two': async (tx) => {
        const pid = await backend(tx);
        const both = Promise.all([tx.sql`select pg_sleep(20)`, tx.sql`select 1`]);
        both.catch(() => undefined);
        await end(pid);
        return both;
      },
      'between two': async (tx) => {
        await end(await backend(tx));
        await until(() => database.pool().total === 0);
        return tx.sql`select 1`;
      },
      'after the last': async (tx) => {
        await end(await backend(tx));
        await until(() => database.pool().total === 0);
      },
    };
    for (const [moment, work] of Object.entries(works)) {
      const error = await database.transaction(act, work).catch((cause: unknown) => cause);
      t.ok(isServiceError(error, 'UNAVAILABLE'), `${moment}: ${error}`);
      t.same([...(await database.sql`select 1 as one`)], [{ one: 1 }], `${moment}: the pool goes on`);
    }
  },
);
