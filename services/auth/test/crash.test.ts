// By an error at each failpoint; tests/chaos/auth-crash.test.ts kills a process (SIGKILL) at each.
import { setFailpoints } from '@strongroom/platform/process';
import t from 'tap';
import { createAuthFixture, reasonOf, registerPerson } from './auth-fixture.ts';
import { testCrashes } from './crash-cases.ts';
import { killAt } from './kill-at.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const victim = await fixture.another();

testCrashes(fixture, async (t, failpoint, call) => {
  setFailpoints(`${failpoint}=throw`);
  t.equal(await reasonOf(call(victim.auth)), 'INTERNAL', failpoint);
  setFailpoints('');
});

t.test('F25: kill -9 in the middle of a refresh logs nobody out', async (t) => {
  const { auth, by } = fixture;
  const { refreshToken } = (await registerPerson(fixture)).tokens;
  await killAt(fixture)(t, 'auth.refresh.after-commit', (killed) => killed.refresh({ refreshToken }, by()));
  const next = await auth.refresh({ refreshToken }, by());
  t.ok(await auth.getMe({}, by({ token: next.accessToken })));
});
