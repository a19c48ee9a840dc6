import t from 'tap';
import { createAuthFixture, reasonOf, uniqueEmail } from './auth-fixture.ts';

// Over mTLS this takes a while on a small machine.
t.setTimeout(118_000);
const fixture = await createAuthFixture({ env: { LOGIN_SPRAY_ACCOUNTS: '500' } });
t.teardown(() => fixture.close());
const { auth, by } = fixture;

const guess = (email: string, ip = '192.0.2.1') => auth.login({ email, password: 'wrong' }, by({ ip }));

t.test('B-lockout: one guess on each of many accounts trips the detector once', { timeout: 112_000 }, async (t) => {
  const before = (await fixture.events('ANOMALY_DETECTED')).filter(
    ({ details }) => details['rule'] === 'password-spraying',
  );
  const reasons = new Set<string>();
  let next = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (next < 700) {
        next += 1;
        reasons.add(await reasonOf(guess(uniqueEmail())));
      }
    }),
  );
  t.same([...reasons], ['INVALID_CREDENTIALS'], 'no account’s own limit sees it');
  const after = (await fixture.events('ANOMALY_DETECTED')).filter(
    ({ details }) => details['rule'] === 'password-spraying',
  );
  t.equal(after.length - before.length, 1);
});
