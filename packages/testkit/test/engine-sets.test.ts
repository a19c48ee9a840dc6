import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import { repositoryRoot } from '../../../scripts/database/migrations.ts';
import { removeEngines, startEngines, stopEngines } from '../../../scripts/engines/index.ts';
import { isAlive, openProcessTable, stopProcess } from '../../../scripts/support/process-table.ts';
import { openSql, testEngines } from '../src/index.ts';

const run = promisify(execFile);
const withoutUrls = { PATH: process.env['PATH'] };

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-engines-'));
  // PostgreSQL's own account must get in where root runs this.
  chmodSync(folder, 0o711);
  return folder;
}

function pidsOf(dataDir: string): Record<string, number> {
  return JSON.parse(readFileSync(join(dataDir, 'pids.json'), 'utf8')) as Record<string, number>;
}

test('engines outlive kill -9 and a false postmaster.pid, keep their data and leave nothing behind', async (t) => {
  const dataDir = freshFolder();
  t.teardown(() => removeEngines(dataDir));
  const lines: string[] = [];
  const options = { dataDir, log: (line: string) => void lines.push(line), environment: withoutUrls };
  const packagesDir = testEngines().packagesDir;
  const first = await startEngines({ ...options, packagesDir });
  t.equal(statSync(first.file).mode & 0o777, 0o600, 'URLs hold passwords');
  const sql = openSql(first.urls.postgres.superuserUrl);
  await sql`create table kept (id int)`;
  await sql`insert into kept values (7)`;
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'] as const) {
    t.match(await sql.unsafe(`show ${setting}`), [{ [setting]: 'on' }]);
  }
  await sql.end();

  const killed = pidsOf(dataDir);
  t.strictSame(Object.keys(killed).sort(), ['nats', 'postgres', 'redis']);
  await Promise.all(Object.values(killed).map((pid) => stopProcess(pid, { signal: 'SIGKILL', graceMs: 5_000 })));
  const second = await startEngines({ ...options, packagesDir });
  const after = openSql(second.urls.postgres.superuserUrl);
  t.match(await after`select id from kept`, [{ id: 7 }], 'what was committed is there');
  await after.end();

  lines.length = 0;
  await startEngines({ ...options, packagesDir });
  t.equal(lines.filter((line) => /still runs/.test(line)).length, 3, 'engines that run are taken over');

  const stopped = pidsOf(dataDir);
  await second.stop();
  t.strictSame(Object.values(stopped).filter(isAlive), [], 'no process is left');
  t.strictSame(pidsOf(dataDir), {});

  // As after a crash of the machine: the number in the file belongs to somebody else by now.
  writeFileSync(join(dataDir, 'engines/postgres/postmaster.pid'), `${process.pid}\n${dataDir}\n`);
  const third = await startEngines({ ...options, packagesDir });
  t.ok(isAlive(process.pid));
  await third.stop();
});

test('engines named by URL are used and left alone', async (t) => {
  const dataDir = freshFolder();
  t.teardown(() => removeEngines(dataDir));
  const { postgres, redisUrl, natsUrl } = testEngines();
  const environment = {
    ...withoutUrls,
    POSTGRES_URL: postgres.superuserUrl,
    REDIS_URL: redisUrl,
    NATS_URL: natsUrl,
  };
  const log = () => undefined;
  const engines = await startEngines({ dataDir, log, environment });
  t.equal(engines.urls.postgres.superuserUrl, postgres.superuserUrl);
  t.match(engines.urls.postgres.databases.payments, /\/payments_db$/);
  t.equal(engines.urls.redisUrls.auth, redisUrl);
  t.strictSame(await openProcessTable(dataDir).alive(), new Map());
  await stopEngines(dataDir);
  const again = await startEngines({ dataDir, log, environment });
  t.equal(again.urls.natsUrl, natsUrl, 'they still run');

  const wrong = new URL(redisUrl);
  wrong.password = 'wrong';
  const failure = await startEngines({ dataDir, log, environment: { ...environment, REDIS_URL: wrong.href } }).catch(
    (error: Error) => error.message,
  );
  t.match(failure, /REDIS_URL is set, but no redis answers at 127\.0\.0\.1:\d+ with those credentials/);
  t.notMatch(failure, /wrong/, 'the password is not repeated');
});

test('a second start in the same folder is refused before it touches anything', async (t) => {
  const dataDir = freshFolder();
  t.teardown(() => removeEngines(dataDir));
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.teardown(() => other.kill());
  await openProcessTable(dataDir).record('start', other.pid ?? 0);
  const failure = await run(process.execPath, ['scripts/start.ts', '--once', '--data', dataDir], {
    cwd: repositoryRoot,
    env: withoutUrls,
  }).catch((error: { stderr: string; code: number }) => error);
  t.match(failure, { code: 1, stderr: new RegExp(`runs already from ${dataDir} \\(pid ${other.pid}\\)`) });
  t.ok(isAlive(other.pid ?? 0));
  t.strictSame(pidsOf(dataDir), { start: other.pid });
});

test('a recorded number that was given to another process stops nobody', async (t) => {
  const dataDir = freshFolder();
  t.teardown(() => removeEngines(dataDir));
  const table = openProcessTable(dataDir);
  await table.record('redis', process.pid);
  const identities = JSON.parse(readFileSync(join(dataDir, 'pids-identity.json'), 'utf8'));
  identities.redis.started = '1';
  writeFileSync(join(dataDir, 'pids-identity.json'), JSON.stringify(identities));
  t.strictSame(await table.alive(), new Map());
  await stopEngines(dataDir);
  t.ok(isAlive(process.pid), 'this test is still here');
});
