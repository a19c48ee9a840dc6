import { randomBytes, randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { createTestRedis, until } from '@strongroom/testkit';
import { Redis } from 'ioredis';
import t from 'tap';
import { createKeyring } from '../../src/crypto/index.ts';
import { commonErrors, isServiceError } from '../../src/errors/index.ts';
import { createStaleReads, type Question } from '../../src/resilience/index.ts';
import { createLogger, createMetrics } from '../../src/telemetry/index.ts';

const engine = await createTestRedis();
const redis = new Redis(engine.url);
t.teardown(async () => {
  redis.disconnect();
  await engine.close();
});

const ttlS = 300;
const clock = { nowMs: Date.now() };
const keyring = createKeyring([{ id: 'test-1', key: randomBytes(32) }]);
const options = {
  name: 'test',
  cache: redis,
  keyring,
  ttlS,
  logger: createLogger({ name: 'test', level: 'silent' }),
  metrics: createMetrics({ name: 'test', processMetrics: false }),
  now: () => clock.nowMs,
};
const reads = createStaleReads(options);

type Ask = Question<typeof StringValueSchema>['ask'];
const answer =
  (value: string): Ask =>
  () =>
    Promise.resolve(create(StringValueSchema, { value }));
const away: Ask = () => Promise.reject(commonErrors.UNAVAILABLE());
const questionOf = (userId: string, ask: Ask, parts: readonly string[] = ['one'], kind = 'value') => ({
  kind,
  userId,
  parts,
  schema: StringValueSchema,
  ask,
});

/** What a person is told while the database is away; undefined: nothing. */
async function toldOf(userId: string, parts?: readonly string[], kind?: string): Promise<string | undefined> {
  try {
    const { message, stale } = await reads.read(questionOf(userId, away, parts, kind));
    return stale ? message.value : 'not marked as stale';
  } catch (error) {
    if (!isServiceError(error, 'UNAVAILABLE')) throw error;
    return undefined;
  }
}

async function keep(userId: string, value: string, parts?: readonly string[]): Promise<void> {
  await reads.read(questionOf(userId, answer(value), parts));
  await until(async () => (await toldOf(userId, parts)) === value);
}

t.test(
  'S5.3: what the database answered is told while it is away, to the same person and question alone',
  async (t) => {
    const [ada, bob] = [randomUUID(), randomUUID()];
    await keep(ada, 'of Ada');
    t.equal(await toldOf(bob), undefined);
    t.equal(await toldOf(ada, ['two']), undefined);
    t.equal(await toldOf(ada, ['one'], 'other'), undefined);
    const refused = reads.read(questionOf(ada, () => Promise.reject(commonErrors.FORBIDDEN())));
    await t.rejects(refused, { code: commonErrors.FORBIDDEN().code }, 'a refusal is no outage');
  },
);

t.test('S4.3: what is kept is sealed, names nobody, and opens nowhere but in its place', async (t) => {
  const people = [randomUUID(), randomUUID()] as const;
  const before = new Set(await redis.keys('*'));
  for (const userId of people) await keep(userId, 'a secret');
  const places = (await redis.keys('*')).filter((key) => !before.has(key));
  t.equal(places.length, people.length);
  const kept = await Promise.all(places.map((key) => redis.hgetallBuffer(key)));
  for (const userId of people) t.notMatch(JSON.stringify(places), userId);
  for (const value of kept.flatMap((fields) => Object.values(fields))) t.notOk(value.includes('a secret'));
  // The same question of another person: only the person differs.
  await redis.hset(places[1] ?? '', kept[0] ?? {});
  t.same((await Promise.all(people.map((userId) => toldOf(userId)))).toSorted(), ['a secret', undefined]);
});

t.test('S5.3: a read is kept no longer than promised, however much its person reads besides', async (t) => {
  const ada = randomUUID();
  await keep(ada, 'old');
  clock.nowMs += (ttlS + 1) * 1_000;
  await keep(ada, 'new', ['two']);
  t.equal(await toldOf(ada), undefined);
});

t.test('S5.3: what is kept of one person is bounded', async (t) => {
  const ada = randomUUID();
  for (let index = 0; index < 100; index++) await keep(ada, String(index), [String(index)]);
  let known = 0;
  for (let index = 0; index < 100; index++) known += (await toldOf(ada, [String(index)])) === undefined ? 0 : 1;
  t.ok(known >= 1 && known <= 32, `${known}`);
});

t.test('B-erase: what was forgotten is gone, and a read that was on its way brings nothing back', async (t) => {
  const ada = randomUUID();
  await keep(ada, 'before');
  const { promise, resolve } = Promise.withResolvers<void>();
  const onItsWay = reads.read(questionOf(ada, async () => promise.then(answer('before'))));
  const before = await redis.dbsize();
  await reads.forget(ada);
  t.equal(await toldOf(ada), undefined);
  resolve();
  t.match(await onItsWay, { stale: false, message: { value: 'before' } }, 'who asked in time is answered');
  await redis.ping(); // behind the command that would have kept it
  t.equal(await toldOf(ada), undefined);
  t.equal(await redis.dbsize(), before);
});

t.test('B-erase: an erasure is told when Redis could not forget', async (t) => {
  const lost = new Redis(engine.url, { lazyConnect: true, enableOfflineQueue: false });
  await t.rejects(createStaleReads({ ...options, cache: lost }).forget(randomUUID()));
  lost.disconnect();
});
