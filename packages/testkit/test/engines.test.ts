import { Redis } from 'ioredis';
import { test } from 'tap';
import { connectNats, createTestDatabase, createTestNats, createTestRedis, openSql } from '../src/index.ts';

test('S4.1 a test database has a runtime role that writes rows and owns nothing', async (t) => {
  const database = await createTestDatabase('testkit', { migrations: [] });
  t.teardown(database.drop);
  const owner = openSql(database.ownerUrl);
  const runtime = openSql(database.runtimeUrl);
  t.teardown(() => Promise.all([owner.end(), runtime.end()]));
  await owner`create table thing (id bigint generated always as identity primary key, name text)`;
  await runtime`insert into thing (name) values ('a')`;
  t.match(await runtime`select name from thing`, [{ name: 'a' }]);
  const refused = async (act: PromiseLike<unknown>) => {
    const error = await Promise.resolve(act).catch((reason: { code: string }) => reason);
    return (error as { code?: string }).code;
  };
  t.equal(await refused(runtime`create table other (id int)`), '42501', 'no table');
  t.equal(await refused(runtime`drop table thing`), '42501', 'no drop');
  t.equal(await refused(runtime`truncate thing`), '42501', 'no truncate');
  t.equal(await refused(runtime`create temporary table other (id int)`), '42501', 'no temporary table');
  t.equal(await refused(runtime`create schema mine`), '42501', 'no schema');
});

test('S4.1 a runtime role is refused by another database, and so is a wrong password', async (t) => {
  const mine = await createTestDatabase('testkit', { migrations: [] });
  const other = await createTestDatabase('otherkit', { migrations: [] });
  t.teardown(() => Promise.all([mine.drop(), other.drop()]));
  const connect = async (url: string) => {
    const sql = openSql(url);
    const outcome = await sql`select 1`.then(
      () => 'connected',
      (error: { code: string }) => error.code,
    );
    await sql.end();
    return outcome;
  };
  const trespass = new URL(mine.runtimeUrl);
  trespass.pathname = `/${other.database}`;
  t.equal(await connect(trespass.href), '42501');
  const guess = new URL(mine.runtimeUrl);
  guess.password = 'wrong';
  t.equal(await connect(guess.href), '28P01');
  guess.password = '';
  t.not(await connect(guess.href), 'connected', 'anonymous');
});

test('two tests never share a Redis database, and it starts empty', async (t) => {
  const [one, two] = await Promise.all([createTestRedis(), createTestRedis()]);
  t.not(one.url, two.url);
  const client = new Redis(one.url);
  await client.set('left', 'over');
  t.equal(await client.dbsize(), 1);
  await one.flush();
  t.equal(await client.dbsize(), 0);
  client.disconnect();
  const anonymous = new URL(one.url);
  anonymous.username = '';
  anonymous.password = '';
  const stranger = new Redis(anonymous.href, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  stranger.on('error', () => undefined);
  await t.rejects(stranger.ping(), /NOAUTH/);
  stranger.disconnect();
  await Promise.all([one.close(), two.close()]);
});

test('two tests never see each other on NATS', async (t) => {
  const [one, two] = await Promise.all([createTestNats(), createTestNats()]);
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const [first, second] = await Promise.all([connectNats(one.url), connectNats(two.url)]);
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const manager = await first.jetstreamManager();
  await manager.streams.add({ name: 'EVENTS', subjects: ['strongroom.events.>'] });
  await first.jetstream().publish('strongroom.events.auth.USER_LOGIN', 'x');
  await t.rejects((await second.jetstreamManager()).streams.info('EVENTS'), /not found/);
  await one.wipe();
  await t.rejects(manager.streams.info('EVENTS'), /not found/);
  const anonymous = new URL(one.url);
  anonymous.username = '';
  anonymous.password = '';
  await t.rejects(connectNats(anonymous.href), /Authorization/i);
});
