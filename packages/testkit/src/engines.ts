import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { connect, type NatsConnection } from 'nats';
import postgres from 'postgres';
import {
  type MigrationSet,
  migrationsHash,
  migrationsOf,
  runMigrations,
} from '../../../scripts/database/migrations.ts';
import {
  dropDatabase,
  type ProvisionedDatabase,
  provisionDatabase,
  type RolePasswords,
  withLock,
  withSuperuser,
} from '../../../scripts/database/provision.ts';
import type { EngineUrls } from '../../../scripts/engines/index.ts';
import { takeLease } from './lease.ts';

/** One template is made at a time, and a test that needs it waits for the one who makes it. */
const templateLock = 7_203_413;

/** The engines that tests run on, as `npm test` or `npm run engines -- --tests --detach` started them. */
export function testEngines(): EngineUrls {
  const file = process.env['STRONGROOM_TEST_ENGINES'];
  if (file === undefined || file === '') {
    throw new Error(
      'Tests need engines: run them with `npm test -- FILE`, or start some with ' +
        '`npm run engines -- --tests --detach --data DIR` and set STRONGROOM_TEST_ENGINES=DIR/engines.json.',
    );
  }
  return JSON.parse(readFileSync(file, 'utf8')) as EngineUrls;
}

export interface TestDatabase extends ProvisionedDatabase {
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Which migrations it has. Default: those of the name (platform's, then the service's). Empty: none. */
  migrations?: readonly MigrationSet[];
}

/**
 * A database of the test's own with the roles `<name>_owner` and `<name>_app`. Migrations run once for each state of
 * their files; after that a database is a copy of the template and takes some 50 ms.
 */
export async function createTestDatabase(name: string, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { superuserUrl } = testEngines().postgres;
  const passwords = rolePasswords(superuserUrl, name);
  const migrations = options.migrations ?? migrationsOf(name);
  const template =
    migrations.length === 0 ? undefined : await provideTemplate(superuserUrl, name, migrations, passwords);
  const database = `test_${name}_${process.pid}_${randomBytes(5).toString('hex')}`;
  const provisioned = await provisionDatabase(superuserUrl, { name, database, passwords, template });
  return { ...provisioned, drop: () => dropDatabase(superuserUrl, database) };
}

async function provideTemplate(
  superuserUrl: string,
  name: string,
  migrations: readonly MigrationSet[],
  passwords: RolePasswords,
): Promise<string> {
  const template = `template_${name}_${migrationsHash(migrations)}`;
  await withSuperuser(superuserUrl, (sql) =>
    withLock(sql, templateLock, async () => {
      const [known] = await sql`select datistemplate from pg_database where datname = ${template}`;
      if (known?.['datistemplate'] === true) return;
      // Cut off while it was made: not marked, so nobody has copied it.
      await dropDatabase(superuserUrl, template);
      const { ownerUrl } = await provisionDatabase(superuserUrl, { name, database: template, passwords });
      await runMigrations(ownerUrl, migrations);
      await sql.unsafe(`alter database ${template} with is_template true allow_connections false`);
    }),
  );
  return template;
}

/** The same in every process of a test run without being written down anywhere. */
function rolePasswords(superuserUrl: string, name: string): RolePasswords {
  const derive = (role: string) =>
    createHmac('sha256', new URL(superuserUrl).password).update(`${name}:${role}`).digest('hex');
  return { owner: derive('owner'), runtime: derive('runtime') };
}

/** A postgres.js client that a test looks around with, mostly as the superuser. */
export function openSql(url: string): postgres.Sql {
  return postgres(url, { max: 2, onnotice: () => undefined });
}

export interface TestRedis {
  /** With a logical database of the test's own, empty. */
  readonly url: string;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export async function createTestRedis(): Promise<TestRedis> {
  const { redisUrl, test } = testEngines();
  // Database 0 holds the leases.
  const lease = await takeLease(redisUrl, 'redis-database', (test?.redisDatabases ?? 16) - 1, 1);
  const url = new URL(redisUrl);
  url.pathname = `/${lease.index}`;
  const flush = async () => {
    const client = new Redis(url.href, { maxRetriesPerRequest: 2 });
    client.on('error', () => undefined);
    await client.flushdb().finally(() => client.disconnect());
  };
  await flush();
  return {
    url: url.href,
    flush,
    async close() {
      await flush();
      await lease.release();
    },
  };
}

export interface TestNats {
  /** An account of the test's own: no stream, and no subject shared with anyone. */
  readonly url: string;
  /** Removes every stream, as a wiped JetStream store would look. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

export async function createTestNats(): Promise<TestNats> {
  const { redisUrl, natsUrl, test } = testEngines();
  const urls = test?.natsUrls ?? [natsUrl];
  const lease = await takeLease(redisUrl, 'nats-account', urls.length);
  const url = urls[lease.index] ?? natsUrl;
  const wipe = () => wipeStreams(url);
  await wipe();
  return {
    url,
    wipe,
    async close() {
      await wipe();
      await lease.release();
    },
  };
}

/** nats.js ignores credentials inside a URL, so they are taken out of it. The inbox is the user's own, as services have it. */
export async function connectNats(url: string): Promise<NatsConnection> {
  const { host, username, password } = new URL(url);
  return connect({
    servers: host,
    ...(username === ''
      ? {}
      : {
          user: decodeURIComponent(username),
          pass: decodeURIComponent(password),
          inboxPrefix: `_INBOX_${decodeURIComponent(username)}`,
        }),
  });
}

async function wipeStreams(url: string): Promise<void> {
  const connection = await connectNats(url);
  try {
    const manager = await connection.jetstreamManager();
    const names = await manager.streams.names().next();
    for (const name of names) await manager.streams.delete(name);
  } finally {
    await connection.close();
  }
}
