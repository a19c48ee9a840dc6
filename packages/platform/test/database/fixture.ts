// What the tests of database, outbox and bus share: a database of their own with a table like any service's.
import { databaseVariables, engineVariables, loadConfig } from '@strongroom/platform/config';
import { createDatabase, type Database, serviceAct, writeAudit } from '@strongroom/platform/database';
import { createLogger, createMetrics, type Metrics } from '@strongroom/platform/telemetry';
import { createTestDatabase, openSql, type TestDatabase } from '@strongroom/testkit';

export const act = serviceAct('tester', { requestId: 'request-1', traceId: '0af7651916cd43dd8448eb211c80319c' });

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function createTestLogger() {
  const lines: LogLine[] = [];
  const texts: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: {
      write(text: string) {
        texts.push(text);
        lines.push(JSON.parse(text));
      },
    },
  });
  return { logger, lines, text: () => texts.join('') };
}

export interface DatabaseFixture {
  readonly test: TestDatabase;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: ReturnType<typeof createTestLogger>;
  /** As psql would connect: past the application. */
  readonly superuser: ReturnType<typeof openSql>;
  open(variables?: Record<string, string>, url?: string): Promise<Database>;
  close(): Promise<void>;
}

export async function createDatabaseFixture(variables: Record<string, string> = {}): Promise<DatabaseFixture> {
  const test = await createTestDatabase('platform');
  const superuser = openSql(test.superuserUrl);
  const owner = openSql(test.ownerUrl);
  await owner.unsafe(`
    create table account (id uuid primary key, owner text not null, balance bigint not null default 0,
      note text, change_time timestamptz not null default now());
    ${writeAudit('account', { resourceType: 'payment' })}`);
  await owner.end();
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  const log = createTestLogger();
  const opened: Database[] = [];
  const open = async (more: Record<string, string> = {}, url = test.runtimeUrl) => {
    const config = await loadConfig(
      { ...databaseVariables, ...engineVariables },
      {
        STRONGROOM_ENV: 'test',
        DATABASE_URL: url,
        ...variables,
        ...more,
      },
    );
    const database = await createDatabase({ url, name: 'platform', config, logger: log.logger, metrics });
    opened.push(database);
    return database;
  };
  const database = await open();
  return {
    test,
    database,
    metrics,
    log,
    superuser,
    open,
    async close() {
      for (const each of opened) await each.close({ timeoutMs: 200 });
      await superuser.end();
      await test.drop();
    },
  };
}
