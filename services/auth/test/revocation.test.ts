import { setTimeout as delay } from 'node:timers/promises';
import { createFaultProxy, createPrivateEngine, until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { readyMarkerKey } from '../src/session/denylist.ts';
import { createAuthFixture, goodPassword, makeAdmin, reasonOf, registerPerson } from './auth-fixture.ts';
import { openRemoteService } from './remote-service.ts';

t.setTimeout(110_000);
const leaseMs = 2_000;
const redis = await createPrivateEngine('redis');
/** Between auth and Redis alone; the other services reach Redis without it. */
const wire = await createFaultProxy({ target: redis.url });
const fixture = await createAuthFixture({
  redisUrl: wire.urlFor(redis.url),
  env: { DENY_MARKER_LEASE_MS: String(leaseMs) },
});
const service = await openRemoteService(fixture, redis.url);
t.teardown(async () => {
  await service.close();
  await fixture.close();
  await wire.close();
  await redis.close();
});
const { auth, by } = fixture;
const { denylist, redis: client } = fixture.app.deps;

/** At auth itself and at every other service. */
async function judgedEverywhere(t: Test, token: string, expected: string, when: string): Promise<void> {
  t.equal(await reasonOf(auth.getMe({}, by({ token }))), expected, `auth, ${when}`);
  t.equal(await service.judge(token), expected, `another service, ${when}`);
}
const connected = () =>
  until(() => client.status === 'ready' && service.redis.status === 'ready', { what: 'Redis is back for everyone' });

t.test(
  'S1.2c, F7, F8: a revoked token is refused on the very next call, with Redis up, killed, back and flushed',
  async (t) => {
    const revoked: string[] = [];
    const revokeOne = async (when: string) => {
      const { accessToken } = (await registerPerson(fixture)).tokens;
      await judgedEverywhere(t, accessToken, 'answered', `${when}: before`);
      await auth.logout({}, by({ token: accessToken }));
      await judgedEverywhere(t, accessToken, 'TOKEN_REVOKED', `${when}: after`);
      revoked.push(accessToken);
    };
    const stillRevoked = async (when: string) => {
      for (const token of revoked) await judgedEverywhere(t, token, 'TOKEN_REVOKED', when);
    };
    await revokeOne('Redis up');
    await redis.kill();
    await revokeOne('Redis killed');
    await stillRevoked('killed');
    await redis.start();
    await connected();
    await stillRevoked('back, perhaps empty');
    await denylist.renew();
    t.ok(await client.exists(readyMarkerKey));
    await stillRevoked('seeded again');
    await client.flushall();
    await stillRevoked('flushed');
    await revokeOne('flushed');
  },
);

t.test('F7: auth alone without Redis acknowledges a revocation only when the services refuse the token', async (t) => {
  await connected();
  await denylist.renew();
  const { accessToken } = (await registerPerson(fixture)).tokens;
  t.equal(await service.judge(accessToken), 'answered');
  t.ok(await service.redis.exists(readyMarkerKey), 'the services go by Redis');
  wire.refuse();
  await auth.logout({}, by({ token: accessToken }));
  t.equal(await service.judge(accessToken), 'TOKEN_REVOKED');
  const second = (await registerPerson(fixture)).tokens.accessToken;
  await auth.logout({}, by({ token: second }));
  t.equal(await service.judge(second), 'TOKEN_REVOKED', 'without Redis for longer, at once');
  wire.heal();
  await connected();
});

t.test('F7: another instance of auth tells Redis in place of the one that can’t', async (t) => {
  await connected();
  const other = await fixture.another({ REDIS_URL: redis.url, DENY_MARKER_LEASE_MS: '60000' });
  await other.app.deps.denylist.renew();
  const { accessToken } = (await registerPerson(fixture)).tokens;
  t.equal(await service.judge(accessToken), 'answered');
  wire.refuse();
  await auth.logout({}, by({ token: accessToken }));
  t.ok(await service.redis.exists(readyMarkerKey), 'the marker stands, by the other instance');
  t.equal(await service.judge(accessToken), 'TOKEN_REVOKED');
  wire.heal();
  await connected();
});

t.test('F26: of 100 requests that race with a revocation none that starts after its answer succeeds', async (t) => {
  await connected();
  const admin = await makeAdmin(fixture);
  const adminService = fixture.as('admin');
  const acts: Record<string, (person: Awaited<ReturnType<typeof registerPerson>>) => Promise<unknown>> = {
    logout: ({ tokens }) => auth.logout({}, by({ token: tokens.accessToken })),
    'all sessions': ({ tokens }) => auth.logoutAll({}, by({ token: tokens.accessToken })),
    password: ({ tokens }) =>
      auth.changePassword(
        { currentPassword: goodPassword, newPassword: 'Copper-Lantern-58-Meadow!' },
        by({ token: tokens.accessToken }),
      ),
    demotion: ({ id }) => adminService.setRole({ userId: id, role: 2, reason: 'x', actorId: admin.id }, by()),
    suspension: ({ id }) => adminService.setStatus({ userId: id, status: 2, reason: 'x', actorId: admin.id }, by()),
  };
  for (const [name, act] of Object.entries(acts)) {
    const person = await registerPerson(fixture);
    const token = person.tokens.accessToken;
    let isAcknowledged = false;
    const late: string[] = [];
    const requests = Array.from({ length: 100 }, async (_, index) => {
      await delay(index);
      const isLate = isAcknowledged;
      const outcome = await (index % 2 === 0 ? service.judge(token) : reasonOf(auth.getMe({}, by({ token }))));
      if (isLate) late.push(outcome);
    });
    const done = act(person).then(() => {
      isAcknowledged = true;
    });
    await Promise.all([...requests, done]);
    await judgedEverywhere(t, token, 'TOKEN_REVOKED', name);
    t.same(
      late.filter((outcome) => outcome !== 'TOKEN_REVOKED'),
      [],
      `${name}: ${late.length} started late`,
    );
  }
});
