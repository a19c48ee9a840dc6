import t from 'tap';
import { createAuthFixture, goodPassword, reasonOf, registerPerson, uniqueEmail } from './auth-fixture.ts';

const fixture = await createAuthFixture();
t.teardown(() => fixture.close());

t.test('S1.3d: registration makes a CUSTOMER with tokens, and a known address is told where that is on', async (t) => {
  const { user, tokens, email } = await registerPerson(fixture);
  t.equal(user.role, 1);
  t.equal(tokens.expiresIn, 900);
  const me = await fixture.auth.getMe({}, fixture.by({ token: tokens.accessToken }));
  t.equal(me.user?.email, email);
  const again = fixture.auth.register({ email: email.toUpperCase(), password: goodPassword, name: 'X' }, fixture.by());
  t.equal(await reasonOf(again), 'EMAIL_EXISTS', 'older fault 16: case does not make another account');
  const [event] = await fixture.events('USER_REGISTERED');
  t.equal(event?.resourceId, user.id);
  t.equal(event?.ipAddress, '198.51.100.7');
  t.equal(event?.traceId.length, 32);
  const invalid = fixture.auth.register({ email: uniqueEmail(), password: 'short', name: 'X' }, fixture.by());
  t.equal(await reasonOf(invalid), 'VALIDATION_FAILED');
});
