import { randomUUID } from 'node:crypto';
import { readServiceError } from '@strongroom/platform/errors';
import { createRevocation, denyKeys } from '@strongroom/platform/identity';
import { createFaultProxy, createTestRedis, until } from '@strongroom/testkit';
import { Redis } from 'ioredis';
import t from 'tap';

const newToken = (issueTime = new Date()) => ({
  userId: randomUUID(),
  sessionId: randomUUID(),
  tokenId: randomUUID(),
  issueTime,
});

async function createFixture(t: { teardown(fn: () => unknown): void }) {
  const engine = await createTestRedis();
  const proxy = await createFaultProxy({ target: engine.url });
  const redis = new Redis(proxy.urlFor(engine.url));
  redis.on('error', () => undefined);
  const direct = new Redis(engine.url);
  t.teardown(async () => {
    redis.disconnect();
    direct.disconnect();
    await proxy.close();
    await engine.close();
  });
  const asked: string[] = [];
  const answers = new Map<string, boolean | Error>();
  const revocation = createRevocation({
    redis,
    redisTimeoutMs: 500,
    async ask({ tokenId }) {
      asked.push(tokenId);
      const answer = answers.get(tokenId) ?? false;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { proxy, redis: direct, revocation, asked, answers };
}

t.test('S1.2c: a token is revoked by its id, its session, or its user’s not-before', async (t) => {
  const { redis, revocation, asked } = await createFixture(t);
  await redis.set(denyKeys.ready, '1');
  const [free, byToken, bySession, byUser, later, odd] = Array.from({ length: 6 }, () => newToken());
  t.ok(free && byToken && bySession && byUser && later && odd);
  if (!free || !byToken || !bySession || !byUser || !later || !odd) return;
  await redis.set(denyKeys.token(byToken.tokenId), '1');
  await redis.set(denyKeys.session(bySession.sessionId), '1');
  await redis.set(denyKeys.user(byUser.userId), String(byUser.issueTime.getTime() + 1));
  await redis.set(denyKeys.user(later.userId), String(later.issueTime.getTime()));
  await redis.set(denyKeys.user(odd.userId), 'what?');
  t.equal(await revocation.isRevoked(free), false);
  t.equal(await revocation.isRevoked(byToken), true);
  t.equal(await revocation.isRevoked(bySession), true);
  t.equal(await revocation.isRevoked(byUser), true);
  t.equal(await revocation.isRevoked(later), false, 'issued at that very moment');
  t.equal(await revocation.isRevoked(odd), true, 'what can’t be read counts against it');
  t.same(asked, []);
});

t.test('F8: an empty Redis knows nothing, so auth is asked', async (t) => {
  const { redis, revocation, asked, answers } = await createFixture(t);
  const [valid, revoked, listed] = [newToken(), newToken(), newToken()];
  answers.set(revoked.tokenId, true);
  await redis.set(denyKeys.session(listed.sessionId), '1');
  t.equal(await revocation.isRevoked(valid), false);
  t.equal(await revocation.isRevoked(revoked), true);
  t.equal(await revocation.isRevoked(listed), true, 'what is listed is revoked, marker or not');
  t.same(asked, [valid.tokenId, revoked.tokenId]);
});

for (const fault of ['refuse', 'halfOpen'] as const) {
  t.test(`F7: with Redis away (${fault}) auth is asked, and without auth nothing is accepted`, async (t) => {
    const { redis, revocation, asked, answers, proxy } = await createFixture(t);
    await redis.set(denyKeys.ready, '1');
    const [valid, revoked, unknown] = [newToken(), newToken(), newToken()];
    answers.set(revoked.tokenId, true);
    answers.set(unknown.tokenId, new Error('auth is down'));
    t.equal(await revocation.isRevoked(valid), false);
    proxy[fault]();
    t.equal(await revocation.isRevoked(valid), false);
    t.equal(await revocation.isRevoked(revoked), true);
    t.match(await revocation.isRevoked(unknown).catch(readServiceError), { reason: 'UNAVAILABLE', retry: 'after' });
    t.same(asked, [valid.tokenId, revoked.tokenId, unknown.tokenId]);
    proxy.heal();
    await until(async () => {
      const before = asked.length;
      await revocation.isRevoked(valid);
      return asked.length === before;
    });
    t.ok(t.passing(), 'Redis answers again');
  });
}
