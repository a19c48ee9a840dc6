import t from 'tap';
import { createAuthFixture } from '../../services/auth/test/auth-fixture.ts';
import { floodOneAccount, sprayAccounts } from '../../services/auth/test/floods.ts';

t.setTimeout(580_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());

t.test('B-lockout: of 10,000 wrong guesses from 500 addresses at most 10 are evaluated, and the owner signs in', (t) =>
  floodOneAccount(t, fixture, { guesses: 10_000, addresses: 500 }),
);

t.test('B-lockout: one guess on each of 10,000 accounts trips the detector once', (t) =>
  sprayAccounts(t, fixture, 10_000),
);
