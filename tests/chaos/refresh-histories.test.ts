import t from 'tap';
import { createAuthFixture } from '../../services/auth/test/auth-fixture.ts';
import { checkRefreshHistories, historyVariables } from '../../services/auth/test/refresh-histories.ts';

t.setTimeout(580_000);
const fixture = await createAuthFixture({ env: historyVariables });
t.teardown(() => fixture.close());

t.test('S1.2b, F23, F24: 2,000 random histories of tabs, a retrying client and a thief', { timeout: 570_000 }, (t) =>
  checkRefreshHistories(t, fixture, 2_000),
);
