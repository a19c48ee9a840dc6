// The numbers of the requirement are in tests/chaos/lockout-flood.test.ts.
import t from 'tap';
import { createAuthFixture } from './auth-fixture.ts';
import { floodOneAccount, sprayAccounts } from './floods.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture({ env: { LOGIN_SPRAY_ACCOUNTS: '60' } });
t.teardown(() => fixture.close());

t.test('B-lockout: of 300 wrong guesses from 50 addresses at most 10 are evaluated, and the owner signs in', (t) =>
  floodOneAccount(t, fixture, { guesses: 300, addresses: 50 }),
);

t.test('B-lockout: one guess on each of 120 accounts trips the detector once', (t) => sprayAccounts(t, fixture, 120));
