// Two thousand histories are in tests/chaos/refresh-histories.test.ts.
import t from 'tap';
import { createAuthFixture } from './auth-fixture.ts';
import { checkRefreshHistories, historyVariables } from './refresh-histories.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture({ env: historyVariables });
t.teardown(() => fixture.close());

t.test('S1.2b, F23, F24: 100 random histories of tabs, a retrying client and a thief', (t) =>
  checkRefreshHistories(t, fixture, 100),
);
