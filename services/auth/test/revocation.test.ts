import { createPrivateEngine, until } from '@strongroom/testkit';
import t from 'tap';
import { readyMarkerKey } from '../src/session/denylist.ts';
import { createAuthFixture, reasonOf, registerPerson } from './auth-fixture.ts';

t.setTimeout(110_000);

t.test(
  'S1.2c: a revoked token is refused on the very next call, with Redis up, killed, flushed and back',
  async (t) => {
    const redis = await createPrivateEngine('redis');
    const fixture = await createAuthFixture({ redisUrl: redis.url });
    t.teardown(async () => {
      await fixture.close();
      await redis.close();
    });
    const { auth, by } = fixture;
    const { denylist, redis: client } = fixture.app.deps;
    const seen = (token: string) => reasonOf(auth.getMe({}, by({ token })));
    const revoked: string[] = [];
    const revokeOne = async () => {
      const { accessToken } = (await registerPerson(fixture)).tokens;
      t.equal(await seen(accessToken), 'answered');
      await auth.logout({}, by({ token: accessToken }));
      t.equal(await seen(accessToken), 'TOKEN_REVOKED');
      revoked.push(accessToken);
    };
    await revokeOne();
    await redis.kill();
    await revokeOne();
    for (const token of revoked) t.equal(await seen(token), 'TOKEN_REVOKED', 'killed: the database answers');
    await redis.start();
    await until(() => client.status === 'ready', { what: 'Redis is back' });
    for (const token of revoked) t.equal(await seen(token), 'TOKEN_REVOKED', 'back, perhaps empty');
    await denylist.renew();
    t.ok(await client.exists(readyMarkerKey));
    for (const token of revoked) t.equal(await seen(token), 'TOKEN_REVOKED', 'seeded again');
    await client.flushall();
    for (const token of revoked) t.equal(await seen(token), 'TOKEN_REVOKED', 'flushed');
    await revokeOne();
  },
);
