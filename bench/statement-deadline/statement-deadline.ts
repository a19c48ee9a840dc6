import { databaseVariables, loadConfig } from '@strongroom/platform/config';
import { createDatabase, type Database, serviceAct } from '@strongroom/platform/database';
import { createLogger, type Deadline, runInRequest } from '@strongroom/platform/telemetry';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import { withEngines } from '../engines.ts';
import { median } from '../measure.ts';

const rounds = 40;
const deadlineMs = 200;
const act = serviceAct('bench');

/** How long a statement runs on in PostgreSQL once its caller's time is over (B-shed: at most 100 ms). */
export async function runStatementDeadline(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const test = await createTestDatabase('payments');
    const watcher = openSql(test.superuserUrl);
    const config = await loadConfig(databaseVariables, { STRONGROOM_ENV: 'test', DATABASE_URL: test.runtimeUrl });
    const logger = createLogger({ name: 'bench', level: 'silent' });
    const database = await createDatabase({ url: test.runtimeUrl, name: 'payments', config, logger });
    try {
      const kinds = { query: outside, transaction: inside };
      const figures: Record<string, number> = {};
      for (const [name, begin] of Object.entries(kinds)) {
        const overruns: number[] = [];
        for (let round = 0; round < rounds; round++) overruns.push(await overrunMs(database, watcher, begin));
        figures[`${name}_past_deadline_p50_ms`] = median(overruns);
        figures[`${name}_past_deadline_max_ms`] = Math.max(...overruns);
      }
      return figures;
    } finally {
      await database.close();
      await watcher.end();
      await test.drop();
    }
  });
}

type Begin = (database: Database, deadline: Deadline) => PromiseLike<unknown>;

const outside: Begin = (database, deadline) =>
  runInRequest({ deadline }, async () => await database.sql`select pg_sleep(30)`);
const inside: Begin = (database, deadline) =>
  database.transaction(act, (tx) => tx.sql`select pg_sleep(30)`, { deadline });

/** By what the server itself shows, looked at again and again until the statement is gone. */
async function overrunMs(database: Database, watcher: ReturnType<typeof openSql>, begin: Begin): Promise<number> {
  const endMs = performance.now() + deadlineMs;
  const ended = begin(database, { remainingMs: () => Math.max(0, endMs - performance.now()) }).then(
    () => 'answered',
    () => 'ended',
  );
  if ((await ended) === 'answered') throw new Error('A statement of thirty seconds was answered.');
  for (;;) {
    const running = await watcher`
      select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`;
    if (running.length === 0) return performance.now() - endMs;
  }
}
